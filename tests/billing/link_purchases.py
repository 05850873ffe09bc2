"""What is bought through a checkout link: Polar makes a customer of the address, who has no id of ours."""

from flask import Flask

from polar_emulator.testing import LocalPolar
from saas.billing import gateway
from tests.billing.buying import pay
from tests.webhooks.door import event, send


def buy_by_link(app: Flask, polar: LocalPolar, product_id: str, email: str) -> str:
    """Buy with an address and nothing else. Returns Polar's id of the customer; no delivery comes."""
    with app.app_context():
        made = gateway.create_checkout(products=[product_id], customer_email=email).data
        pay(polar, made["url"], email=email)
        [customer] = gateway.customers_by_email(email)
    return str(customer.data["id"])


def deliver(app: Flask, customer_id: str) -> None:
    """Knock at the door with what Polar has of a customer."""
    client = app.test_client()
    with app.app_context():
        told = [("customer.created", gateway.customer(customer_id))]
        told += [
            ("subscription.active", each) for each in gateway.customer_subscriptions(customer_id)
        ]
        told += [("order.paid", each) for each in gateway.customer_orders(customer_id)]
    for kind, answer in told:
        assert send(client, event(kind, answer.data)).status_code == 202
