"""Answers: the same keys and the same types of values as recorded, at any depth."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from polar.v2026_10 import Polar

from polar_emulator.catalogue import stable_id
from polar_emulator.testing import LocalPolar
from tests.polar_emulator import recorded
from tests.polar_emulator.buyers import Buyers, product_id

Ask = Callable[[httpx.Client, Buyers], httpx.Response]


def subscription_path(buyers: Buyers) -> str:
    return f"/v1/subscriptions/{buyers.subscription().id}"


def order_path(buyers: Buyers) -> str:
    return f"/v1/orders/{buyers.sdk.orders.list().items[0].id}"


def bought(product: str, path: Callable[[Buyers], str], country: str = "FR") -> Ask:
    def ask(http: httpx.Client, buyers: Buyers) -> httpx.Response:
        buyers.buy(product, country=country)
        return http.get(path(buyers))

    return ask


def checkout_after(product: str) -> Ask:
    def ask(http: httpx.Client, buyers: Buyers) -> httpx.Response:
        return http.get(f"/v1/checkouts/{buyers.buy(product, country='FR').id}")

    return ask


def open_checkout(product: str) -> Ask:
    def ask(http: httpx.Client, buyers: Buyers) -> httpx.Response:
        return http.post("/v1/checkouts/", json={"products": [product_id(product)]})

    return ask


def confirm(http: httpx.Client, buyers: Buyers) -> httpx.Response:
    body = {
        "customer_name": "Jane Doe",
        "customer_billing_address": recorded.answer("customers-get")["answer"]["billing_address"],
        "confirmation_token_id": "ctoken_pays",
    }
    path = f"/v1/checkouts/client/{buyers.open().client_secret}/confirm"
    return http.post(path, json=body)


def client_checkout(http: httpx.Client, buyers: Buyers) -> httpx.Response:
    return httpx.get(f"{buyers.polar.url}/v1/checkouts/client/{buyers.open('Free').client_secret}")


def session(http: httpx.Client, buyers: Buyers) -> httpx.Response:
    buyers.buy(country="FR")
    body = {"external_customer_id": "user_1", "return_url": "https://app.example.com/account"}
    return http.post("/v1/customer-sessions/", json=body)


def canceled(http: httpx.Client, buyers: Buyers) -> httpx.Response:
    buyers.buy()
    body = recorded.answer("subscriptions-update-cancel_at_period_end-true")["body"]
    return http.patch(subscription_path(buyers), json=body)


def revoked(http: httpx.Client, buyers: Buyers) -> httpx.Response:
    buyers.buy()
    return http.delete(subscription_path(buyers))


def scheduled(http: httpx.Client, buyers: Buyers) -> httpx.Response:
    buyers.buy()
    change = {"product_id": product_id("Team Monthly"), "proration_behavior": "next_period"}
    return http.patch(subscription_path(buyers), json=change)


def new_customer(http: httpx.Client, buyers: Buyers) -> httpx.Response:
    return http.post("/v1/customers/", json=recorded.answer("customers-create")["body"])


def stateless(http: httpx.Client, buyers: Buyers) -> httpx.Response:
    new_customer(http, buyers)
    return http.get("/v1/customers/external/crud_1/state")


def new_benefit(http: httpx.Client, buyers: Buyers) -> httpx.Response:
    return http.post("/v1/benefits/", json=recorded.answer("benefits-create-feature_flag")["body"])


def new_endpoint(http: httpx.Client, buyers: Buyers) -> httpx.Response:
    return http.post(
        "/v1/webhooks/endpoints", json=recorded.answer("webhooks-endpoint-create")["body"]
    )


def deliveries(http: httpx.Client, buyers: Buyers) -> httpx.Response:
    buyers.sdk.products.update(product_id("Pro Monthly"), description="Changed")
    buyers.polar.wait_idle()
    return http.get("/v1/webhooks/deliveries?limit=3")


def redelivered(http: httpx.Client, buyers: Buyers) -> httpx.Response:
    event = deliveries(http, buyers).json()["items"][0]["webhook_event"]["id"]
    return http.post(f"/v1/webhooks/events/{event}/redeliver")


def invoice(http: httpx.Client, buyers: Buyers) -> httpx.Response:
    buyers.buy()
    path = f"{order_path(buyers)}/invoice"
    http.post(path)
    buyers.polar.wait_idle()
    return http.get(path)


def invoice_wanted(http: httpx.Client, buyers: Buyers) -> httpx.Response:
    buyers.buy()
    return http.post(f"{order_path(buyers)}/invoice")


def deleted(http: httpx.Client, buyers: Buyers) -> httpx.Response:
    new_customer(http, buyers)
    return http.delete("/v1/customers/external/crud_1")


def endpoint_deleted(http: httpx.Client, buyers: Buyers) -> httpx.Response:
    return http.delete(f"/v1/webhooks/endpoints/{new_endpoint(http, buyers).json()['id']}")


CASES: dict[str, Ask] = {
    "organizations-get": lambda http, _: http.get(
        f"/v1/organizations/{stable_id('organization', 'demo')}"
    ),
    "products-get": lambda http, _: http.get(f"/v1/products/{product_id('Pro Monthly')}"),
    "products-list-page2": lambda http, _: http.get("/v1/products/?limit=2&page=2"),
    "benefits-create-feature_flag": new_benefit,
    "checkout-create-paid-external-id": open_checkout("Pro Monthly"),
    "checkout-create-free": open_checkout("Free"),
    "checkout-client-get-open": client_checkout,
    "checkout-client-confirm-paid": confirm,
    "checkout-get-succeeded": checkout_after("Pro Monthly"),
    "checkout-get-trial-succeeded": checkout_after("Team Monthly"),
    "customers-create": new_customer,
    "customers-get": bought("Pro Monthly", lambda _: "/v1/customers/external/user_1"),
    "customers-state-by-external-id": bought(
        "Pro Monthly", lambda _: "/v1/customers/external/user_1/state"
    ),
    "customers-state-trialing": bought(
        "Team Monthly", lambda _: "/v1/customers/external/user_1/state"
    ),
    "customers-state-no-subscription": stateless,
    "customers-delete-by-external-id": deleted,
    "customer-sessions-create-by-external_customer_id": session,
    "orders-get-paid": bought("Pro Monthly", order_path),
    "orders-get-one-time": bought("Lifetime", order_path),
    "orders-invoice-generate": invoice_wanted,
    "orders-invoice-get": invoice,
    "subscriptions-get-active": bought("Pro Monthly", subscription_path),
    "subscriptions-get-trialing": bought("Team Monthly", subscription_path),
    "subscriptions-update-cancel_at_period_end-true": canceled,
    "subscriptions-update-product-next_period": scheduled,
    "subscriptions-revoke": revoked,
    "webhooks-endpoint-create": new_endpoint,
    "webhooks-endpoint-delete": endpoint_deleted,
    "webhooks-deliveries-list": deliveries,
    "webhooks-redeliver": redelivered,
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_same_shape(http: httpx.Client, buyers: Buyers, name: str) -> None:
    was, got = recorded.answer(name), CASES[name](http, buyers)
    assert got.status_code == was["status"], got.text
    for header in ("content-type", "cache-control", "x-polar-sandbox"):
        assert got.headers.get(header) == was["answer_headers"].get(header)
    ours: Any = got.json() if got.content else ""
    assert recorded.differences(was["answer"], ours) == []


def test_amounts_of_a_buyer_in_france(buyers: Buyers, sdk: Polar) -> None:
    checkout = buyers.buy(country="FR")
    was = recorded.answer("checkout-get-succeeded")["answer"]
    names = ("amount", "net_amount", "tax_amount", "tax_behavior", "total_amount", "currency")
    assert {n: getattr(checkout, n) for n in names} == {n: was[n] for n in names}
    order = sdk.orders.list().items[0]
    was = recorded.answer("orders-get-paid")["answer"]
    names = (
        "subtotal_amount",
        "net_amount",
        "tax_amount",
        "total_amount",
        "due_amount",
        "platform_fee_amount",
        "refundable_amount",
        "refundable_tax_amount",
        "description",
    )
    assert {n: getattr(order, n) for n in names} == {n: was[n] for n in names}


def test_flags_of_checkouts(http: httpx.Client, buyers: Buyers) -> None:
    for name in ("checkout-create-paid-external-id", "checkout-create-free"):
        was, got = recorded.answer(name)["answer"], CASES[name](http, buyers).json()
        flags = [key for key in was if key.startswith(("is_", "allow_", "require_"))]
        assert {key: got[key] for key in flags} == {key: was[key] for key in flags}


def test_filters_of_products(sdk: Polar) -> None:
    def names(**query: Any) -> set[str]:
        return {product.name for product in sdk.products.list(limit=100, **query).items}

    organization = stable_id("organization", "demo")
    assert len(names(organization_id=[organization])) == 5
    assert names(organization_id=[product_id("Free")]) == set()
    assert names(is_recurring=False) == {"Lifetime"}
    assert names(metadata={"plan": "pro"}) == {"Pro Monthly", "Pro Yearly"}
    assert names(metadata={"highlight": "true"}) == {"Pro Monthly", "Pro Yearly"}
    assert names(metadata={"order": 6}) == {"Lifetime"}
    assert names(query="team") == {"Team Monthly"}
    sdk.products.update(product_id("Lifetime"), is_archived=True)
    assert names(is_archived=True) == {"Lifetime"}
    assert "Lifetime" not in names(is_archived=False)


def test_products_come_newest_first_by_default(sdk: Polar) -> None:
    listed = [product.name for product in sdk.products.list().items]
    assert listed[0] == "Lifetime"
    by_name = [product.name for product in sdk.products.list(sorting=["name"]).items]
    assert by_name == sorted(by_name)


def test_merchants_edit_products_and_benefits(sdk: Polar, polar: LocalPolar) -> None:
    benefit = sdk.benefits.create(
        type="feature_flag", description="Exports", metadata={"feature": "exports"}, properties={}
    )
    product = sdk.products.create(
        name="Starter",
        recurring_interval="month",
        prices=[{"amount_type": "free"}],
        metadata={"plan": "starter"},
    )
    # Facts, section 4: a free price is stored as a fixed one of 0.
    assert (product.prices[0].amount_type, product.prices[0].price_amount) == ("fixed", 0)
    product = sdk.products.update_benefits(product.id, benefits=[benefit.id])
    assert [found.id for found in product.benefits] == [benefit.id]
    renamed = sdk.benefits.update(benefit.id, type="feature_flag", description="Export data")
    assert renamed.description == "Export data"
    price = {"amount_type": "fixed", "price_amount": 700, "price_currency": "eur"}
    assert sdk.products.update(product.id, prices=[price]).prices[0].price_amount == 700
    polar.wait_idle()
    assert polar.events() == [
        "benefit.created",
        "product.created",
        "product.updated",
        "benefit.updated",
        "product.updated",
    ]


def test_lists(buyers: Buyers, sdk: Polar) -> None:
    buyers.buy(user="a")
    buyers.buy("Team Monthly", user="b")
    assert len(sdk.subscriptions.list(active=True).items) == 2
    assert len(sdk.subscriptions.list(status=["trialing"]).items) == 1
    assert len(sdk.customers.list(email="A@EXAMPLE.COM").items) == 1
    assert len(sdk.orders.list(external_customer_id=["b"]).items) == 1
    assert sdk.orders.list(external_customer_id=["nobody"]).items == []
    grants = sdk.benefit_grants.list(external_customer_id=["b"], limit=100).items
    assert {grant.benefit.description for grant in grants} == {
        "100 projects",
        "Reports",
        "API access",
    }
    assert sdk.checkouts.list(limit=1).pagination.max_page == 2
    assert sdk.organizations.list().items[0].slug == "demo"
