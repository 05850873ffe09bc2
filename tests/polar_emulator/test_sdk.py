"""The official SDK, unchanged, over a real process: every newer resource loads in its types."""

from typing import Any

from polar.v2026_10 import Polar

from polar_emulator.testing import LocalPolar
from tests.polar_emulator.buyers import Buyers, product_id


def test_discounts(sdk: Polar, buyers: Buyers) -> None:
    kinds: list[dict[str, Any]] = [
        {"type": "percentage", "basis_points": 1000, "duration": "once"},
        {
            "type": "percentage",
            "basis_points": 1000,
            "duration": "repeating",
            "duration_in_months": 2,
        },
        {"type": "fixed", "amount": 500, "currency": "usd", "duration": "forever"},
        {
            "type": "fixed",
            "amount": 500,
            "currency": "usd",
            "duration": "repeating",
            "duration_in_months": 2,
        },
    ]
    for number, kind in enumerate(kinds):
        made = sdk.discounts.create(name=f"Kind {number}", **kind)
        assert sdk.discounts.get(made.id).name == f"Kind {number}"
        buyers.pay(buyers.open(user=f"user_{number}", discount_id=made.id))
        assert buyers.subscription(f"user_{number}").discount.id == made.id
    assert len(sdk.discounts.list().items) == 4
    assert all(order.discount for order in sdk.orders.list().items)
    assert sdk.discounts.update(made.id, name="New").name == "New"
    sdk.discounts.delete(made.id)


def test_checkouts_and_links(sdk: Polar, buyers: Buyers) -> None:
    checkout = buyers.open()
    assert sdk.checkouts.update(checkout.id, metadata={"a": "b"}).metadata == {"a": "b"}
    assert sdk.checkouts.client_update(checkout.client_secret, customer_name="Jane")
    link = sdk.checkout_links.create(payment_processor="stripe", products=[product_id("Free")])
    assert sdk.checkout_links.get(link.id).url == link.url
    assert sdk.checkout_links.list().items[0].id == link.id
    assert sdk.checkout_links.update(link.id, label="Site").label == "Site"
    sdk.checkout_links.delete(link.id)


def test_subscriptions(sdk: Polar, buyers: Buyers, polar: LocalPolar) -> None:
    customer = sdk.customers.create(email="free@example.com")
    free = sdk.subscriptions.create(product_id=product_id("Free"), customer_id=customer.id)
    assert free.status == "active"
    buyers.buy()
    key = buyers.subscription().id
    assert sdk.subscriptions.update(key, pause_at_period_end=True).pause_at_period_end
    polar.advance(31 * 86400)
    assert sdk.subscriptions.get(key).status == "paused"
    assert sdk.subscriptions.update(key, resume=True).status == "active"


def test_refunds(sdk: Polar, buyers: Buyers) -> None:
    buyers.buy()
    order = sdk.orders.list().items[0]
    made = sdk.refunds.create(order_id=order.id, reason="other", amount=100)
    assert sdk.refunds.list().items[0].id == made.id
    assert sdk.orders.get(order.id).refunded_amount == 100
