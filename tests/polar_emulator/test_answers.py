"""Answers over the wire: amounts, filters, lists, and what merchants edit."""

from typing import Any

import httpx
from polar.v2026_10 import Polar

from polar_emulator.catalogue import stable_id
from polar_emulator.testing import LocalPolar
from tests.polar_emulator import recorded
from tests.polar_emulator.buyers import Buyers, product_id


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


def test_a_missing_slash_is_mended(http: httpx.Client) -> None:
    was = recorded.answer("307-no-trailing-slash-products-list")
    got = http.request(was["method"], was["path"])
    assert (got.status_code, got.text) == (was["status"], was["answer"])
    assert got.headers["location"].endswith("/v1/products/")
