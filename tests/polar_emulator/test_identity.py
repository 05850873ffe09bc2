"""Who a purchase belongs to: the traps that were recorded."""

import pytest
from polar.v2026_10 import Polar
from polar.v2026_10.errors import ResourceNotFound

from tests.polar_emulator.buyers import Buyers, product_id


def test_new_external_id_with_a_known_email(buyers: Buyers, sdk: Polar) -> None:
    sdk.customers.create(email="jane@example.com", external_id="old")
    checkout = buyers.open(user="new", customer_email="jane@example.com")
    assert checkout.customer_id is None
    buyers.pay(checkout)
    done = sdk.checkouts.get(checkout.id)
    assert done.customer_id == sdk.customers.get_external("old").id
    assert done.external_customer_id == "new"
    with pytest.raises(ResourceNotFound):
        sdk.customers.get_external("new")


def test_known_email_without_external_id_stays_without(buyers: Buyers, sdk: Polar) -> None:
    customer = sdk.customers.create(email="jane@example.com")
    buyers.pay(buyers.open(user="new", customer_email="Jane@Example.com"))
    found = sdk.customers.get(customer.id)
    assert (found.external_id, found.name) == (None, "Test Buyer")
    assert sdk.subscriptions.list(customer_id=[customer.id]).items


def test_no_session_for_the_older_customer(buyers: Buyers, sdk: Polar) -> None:
    sdk.customers.create(email="jane@example.com", external_id="old")
    secret = buyers.open("Free", user="new", customer_email="jane@example.com").client_secret
    assert sdk.checkouts.client_confirm(secret).customer_session_token is None
    own = buyers.open("Free", user="other").client_secret
    assert sdk.checkouts.client_confirm(own).customer_session_token


def test_known_external_id_keeps_its_email(buyers: Buyers, sdk: Polar) -> None:
    sdk.customers.create(email="jane@example.com", external_id="user_1", name="Jane")
    checkout = buyers.open(customer_email="other@example.com")
    assert checkout.customer_email == "other@example.com"
    assert checkout.customer_name == "Jane"
    buyers.pay(checkout)
    assert sdk.customers.get_external("user_1").email == "jane@example.com"
    assert sdk.checkouts.get(checkout.id).customer_email == "other@example.com"


def test_known_customer_fills_in_the_email(buyers: Buyers, sdk: Polar) -> None:
    customer = sdk.customers.create(email="jane@example.com", external_id="user_1")
    checkout = buyers.open(customer_email=None)
    assert (checkout.customer_id, checkout.customer_email) == (customer.id, "jane@example.com")


def test_new_customer_belongs_to_the_external_id(buyers: Buyers, sdk: Polar) -> None:
    buyers.buy(user="user_9")
    customer = sdk.customers.get_external("user_9")
    assert (customer.email, customer.metadata) == ("user_9@example.com", {})


def test_metadata_goes_to_subscription_and_order(buyers: Buyers, sdk: Polar) -> None:
    checkout = buyers.open(metadata={"user_id": "x", "n": 1}, customer_metadata={"vip": True})
    buyers.pay(checkout)
    assert buyers.subscription().metadata == {"user_id": "x", "n": 1}
    assert sdk.orders.list().items[0].metadata == {"user_id": "x", "n": 1}
    assert sdk.customers.get_external("user_1").metadata == {"vip": True}


def test_checkout_id_is_in_the_success_url_at_once(buyers: Buyers) -> None:
    checkout = buyers.open()
    assert checkout.success_url == f"https://app.example.com/done?checkout_id={checkout.id}"


def test_deleted_customers_free_their_ids(buyers: Buyers, sdk: Polar) -> None:
    buyers.buy()
    old = sdk.customers.get_external("user_1").id
    order = sdk.orders.list().items[0].id
    sdk.customers.delete(old)
    buyers.polar.wait_idle()
    with pytest.raises(ResourceNotFound):
        sdk.customers.get(old)
    new = sdk.customers.create(email="user_1@example.com", external_id="user_1").id
    assert new != old
    # Facts, section 4: orders stay readable.
    assert sdk.orders.get(order).customer.id == old


def test_several_products_and_the_deprecated_single_one(buyers: Buyers, sdk: Polar) -> None:
    keys = [product_id("Pro Yearly"), product_id("Pro Monthly")]
    checkout = sdk.checkouts.create(products=keys)
    assert checkout.product_id == keys[0]
    assert [product.id for product in checkout.products] == keys
    done = sdk.checkouts.client_confirm(
        checkout.client_secret,
        customer_email="jane@example.com",
        customer_name="Jane",
        customer_billing_address={"country": "US"},
        confirmation_token_id="ctoken_pays",
        product_id=keys[1],
    )
    assert (done.product_id, done.total_amount) == (keys[1], 2000)
