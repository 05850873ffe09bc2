"""Errors: the same status and the same body as recorded, for the same cause."""

import json
from typing import Any

import httpx
import pytest
from polar.v2026_10 import Polar

from polar_emulator.testing import LocalPolar
from tests.polar_emulator import recorded
from tests.polar_emulator.buyers import DECLINED, Buyers, product_id

RECORDED_PRODUCT = "c03d276b-9817-45fc-a332-76f0698415d5"
NOBODY = "00000000-0000-4000-8000-000000000000"


def send(http: httpx.Client, name: str, path: str | None = None, **changes: Any) -> httpx.Response:
    """The recorded request again, with the demo product in place of the recorded one."""
    was = recorded.answer(name)
    body = was["body"]
    text = body if isinstance(body, str) else json.dumps({**(body or {}), **changes})
    text = text.replace(RECORDED_PRODUCT, product_id("Pro Monthly"))
    content = None if body is None else text
    headers = {"Content-Type": "application/json", **was["headers"]}
    return http.request(was["method"], path or was["path"], content=content, headers=headers)


def same(name: str, got: httpx.Response, **swaps: str) -> None:
    """Status and body are the recorded ones, once ids are swapped."""
    was = recorded.answer(name)
    text = json.dumps(was["answer"])
    for old, new in {RECORDED_PRODUCT: product_id("Pro Monthly"), **swaps}.items():
        text = text.replace(old, new)
    assert got.status_code == was["status"]
    assert (got.json() if got.content else "") == json.loads(text)
    for header, value in was["answer_headers"].items():
        if header not in {"location", "polar-version"}:
            assert got.headers[header] == value, header


@pytest.mark.parametrize(
    "name",
    [
        "404-checkout-client-get",
        "404-checkout-get",
        "404-customers-get-by-external-id",
        "404-customers-state-by-external-id",
        "404-orders-get",
        "404-products-get",
        "404-subscriptions-get",
        "404-unknown-route",
        "405-method-not-allowed",
        "422-checkout-create-bad-email",
        "422-checkout-create-bad-success_url",
        "422-checkout-create-empty-body",
        "422-checkout-create-empty-products",
        "422-checkout-create-metadata-too-long",
        "422-checkout-create-product-not-uuid",
        "422-checkout-create-unknown-customer_id",
        "422-checkout-create-unknown-discount_id",
        "422-checkout-create-unknown-product",
        "422-customer-sessions-empty",
        "422-customer-sessions-unknown-customer_id",
        "422-customer-sessions-unknown-external_customer_id",
        "422-customers-create-no-email",
        "422-list-page-0",
        "422-malformed-json",
        "422-products-create-organization_id-with-oat",
        "422-products-get-not-a-uuid",
    ],
)
def test_same_request_same_error(http: httpx.Client, name: str) -> None:
    same(name, send(http, name))


@pytest.mark.parametrize(
    ("name", "authorization"),
    [
        ("401-no-token", None),
        ("401-basic-scheme", "Basic abc"),
        ("401-invalid-token", "Bearer something_else"),
    ],
)
def test_tokens(polar: LocalPolar, name: str, authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    same(name, httpx.get(f"{polar.url}/v1/products/", headers=headers))


@pytest.mark.parametrize("name", ["404-unsupported-version-2027-01", "404-garbage-version"])
def test_unknown_versions(http: httpx.Client, name: str) -> None:
    got = send(http, name)
    same(name, got)
    assert "x-polar-sandbox" not in got.headers


@pytest.mark.parametrize("version", ["2026-04", "2026-10"])
def test_known_versions(http: httpx.Client, version: str) -> None:
    got = http.get("/v1/products/", headers={"Polar-Version": version})
    assert (got.status_code, got.headers["polar-version"]) == (200, version)


def test_missing_slash(http: httpx.Client, polar: LocalPolar) -> None:
    got = http.get("/v1/products?limit=2")
    assert got.status_code == 307
    assert got.headers["location"] == f"{polar.url}/v1/products/?limit=2"
    assert http.get("/v1/products?limit=2", follow_redirects=True).status_code == 200


def test_archived_product(http: httpx.Client, sdk: Polar) -> None:
    key = product_id("Lifetime")
    sdk.products.update(key, is_archived=True)
    name = "422-checkout-create-archived-product"
    got = send(http, name, products=[key])
    same(name, got, **{recorded.answer(name)["body"]["products"][0]: key})


@pytest.mark.parametrize(
    "name",
    [
        "422-customers-create-existing-both",
        "422-customers-create-existing-email-other-case",
        "422-customers-create-existing-email",
        "422-customers-create-existing-external_id",
    ],
)
def test_taken_addresses_and_ids(http: httpx.Client, sdk: Polar, name: str) -> None:
    sdk.customers.create(email="crud@example.com", external_id="crud_1")
    same(name, send(http, name))


def test_external_id_is_set_once(http: httpx.Client, sdk: Polar) -> None:
    customer = sdk.customers.create(email="crud@example.com")
    assert sdk.customers.update(customer.id, external_id="crud_1").external_id == "crud_1"
    name = "customers-update-change-external_id"
    same(name, send(http, name, f"/v1/customers/{customer.id}"))


@pytest.mark.parametrize(
    "name",
    [
        "422-subscriptions-update-product-one-time",
        "422-subscriptions-update-product-unknown",
        "422-subscriptions-update-unknown-field",
        "subscriptions-update-uncancel-not-canceled",
        "subscriptions-update-month-to-year-reset",
    ],
)
def test_subscription_updates(http: httpx.Client, buyers: Buyers, name: str) -> None:
    buyers.buy()
    path = f"/v1/subscriptions/{buyers.subscription().id}"
    lifetime = {"product_id": product_id("Lifetime")} if "one-time" in name else {}
    if name.endswith("reset"):
        lifetime = {"product_id": product_id("Pro Yearly")}
    got = send(http, name, path, **lifetime)
    old = (recorded.answer(name)["body"] or {}).get("product_id")
    same(name, got, **({old: lifetime["product_id"]} if lifetime else {}))


def test_canceling_and_ending_twice(http: httpx.Client, buyers: Buyers, sdk: Polar) -> None:
    buyers.buy()
    key = buyers.subscription().id
    path = f"/v1/subscriptions/{key}"
    sdk.subscriptions.update(key, cancel_at_period_end=True)
    name = "subscriptions-update-cancel-already-canceled"
    same(name, send(http, name, path))
    sdk.subscriptions.revoke(key)
    same("subscriptions-revoke-already-revoked", http.delete(path))


def test_only_free_subscriptions_are_upgraded(http: httpx.Client, buyers: Buyers) -> None:
    buyers.buy()
    key = buyers.subscription().id
    name = "422-checkout-create-upgrade-paid-subscription_id"
    got = send(http, name, subscription_id=key)
    same(name, got, **{recorded.answer(name)["body"]["subscription_id"]: key})


def confirm(http: httpx.Client, secret: str, token: str | None = "ctoken_pays") -> httpx.Response:
    body = {
        "customer_name": "Jane Doe",
        "customer_billing_address": {"country": "FR"},
        "confirmation_token_id": token,
    }
    given = {name: value for name, value in body.items() if value is not None}
    return http.post(f"/v1/checkouts/client/{secret}/confirm", json=given)


@pytest.mark.parametrize("first", ["Free", "Pro Monthly", "Team Monthly"])
def test_second_subscription(http: httpx.Client, buyers: Buyers, first: str) -> None:
    buyers.buy(first)
    again = buyers.open("Pro Yearly")
    same("checkout-confirm-already-subscribed", confirm(http, again.client_secret))
    stranger = buyers.open("Pro Yearly", user="user_2", customer_email="USER_1@example.com")
    same("checkout-confirm-already-subscribed", confirm(http, stranger.client_secret))


def test_one_time_purchase_beside_a_subscription(buyers: Buyers) -> None:
    buyers.buy()
    assert buyers.buy("Lifetime").status == "succeeded"


def test_declined_card(http: httpx.Client, buyers: Buyers) -> None:
    checkout = buyers.open()
    same("checkout-confirm-card-declined", confirm(http, checkout.client_secret, "ctoken_declined"))
    shortcut = buyers.pay(checkout, DECLINED)
    assert shortcut.json() == recorded.answer("checkout-confirm-card-declined")["answer"]


def test_missing_token(http: httpx.Client, buyers: Buyers) -> None:
    got = confirm(http, buyers.open().client_secret, None)
    same("422-checkout-confirm-missing-token", got)


def test_expired_checkout(http: httpx.Client, buyers: Buyers, polar: LocalPolar) -> None:
    checkout = buyers.open()
    polar.advance(25 * 3600)
    same("checkout-confirm-expired", confirm(http, checkout.client_secret))


def test_confirming_twice(http: httpx.Client, buyers: Buyers) -> None:
    checkout = buyers.open()
    assert confirm(http, checkout.client_secret).status_code == 200
    again = confirm(http, checkout.client_secret)
    assert (again.status_code, again.json()["error"]) == (403, "NotOpenCheckout")


def test_invoice_before_it_exists(http: httpx.Client, buyers: Buyers, sdk: Polar) -> None:
    buyers.buy()
    key = sdk.orders.list().items[0].id
    name = "orders-invoice-get-before-generate"
    old = recorded.answer(name)["path"].split("/")[3]
    same(name, http.get(f"/v1/orders/{key}/invoice"), **{old: key})


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        b"[]",
        b"1",
        b"null",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"name": "\\ud800"}',
        b"{" * 5000,
        b"",
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/checkouts/"),
        ("POST", "/v1/customers/"),
        ("POST", "/v1/products/"),
        ("POST", "/v1/customer-sessions/"),
        ("POST", "/v1/webhooks/endpoints"),
        ("POST", "/v1/benefits/"),
        ("POST", "/v1/subscriptions/"),
        ("POST", "/v1/refunds/"),
        ("POST", "/v1/discounts/"),
        ("POST", "/v1/checkout-links/"),
        ("POST", "/v1/events/ingest"),
        ("POST", "/v1/meters/"),
    ],
)
def test_bad_bodies_are_never_a_500(
    http: httpx.Client, method: str, path: str, body: bytes
) -> None:
    assert http.request(method, path, content=body).status_code == 422


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/products/?page=x", 422),
        ("/v1/products/?limit=-1", 422),
        ("/v1/products/?is_archived=maybe", 422),
        ("/v1/products/?page=99999999999999999999", 200),
        ("/v1/products/?limit=500", 200),
        ('/v1/products/?metadata[a"b]=1', 200),
        ("/v1/products/?metadata[']=1", 200),
        ("/v1/products/?sorting=nonsense", 200),
        ("/v1/customers/?query=%25%27", 200),
    ],
)
def test_queries(http: httpx.Client, path: str, status: int) -> None:
    assert http.get(path).status_code == status
