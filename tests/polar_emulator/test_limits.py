"""Scopes of tokens, and the limit of requests a minute."""

import httpx
import pytest
from polar.base import PolarRateLimitError
from polar.v2026_10 import Polar

from polar_emulator.testing import LocalPolar
from tests.polar_emulator import recorded
from tests.polar_emulator.buyers import Buyers
from tests.polar_emulator.inside import Inside

READER = "polar_oat_scoped_products:read,customers:read"


@pytest.mark.parametrize(
    "name", ["403-insufficient-scope", "403-insufficient-scope-checkout-create"]
)
def test_missing_scope(polar: LocalPolar, name: str) -> None:
    was = recorded.answer(name)
    headers = {"Authorization": f"Bearer {READER}"}
    got = httpx.request(was["method"], polar.url + was["path"], json=was["body"], headers=headers)
    assert (got.status_code, got.json()) == (was["status"], was["answer"])
    for header, value in was["answer_headers"].items():
        assert got.headers[header] == value


@pytest.mark.parametrize(
    ("scopes", "method", "path", "status"),
    [
        ("products:read", "GET", "/v1/products/", 200),
        ("products:write", "GET", "/v1/products/", 200),
        ("products:read", "POST", "/v1/products/", 403),
        ("orders:write", "GET", "/v1/orders/", 403),
        ("benefits:read", "GET", "/v1/benefit-grants/", 200),
        ("checkout_links:read", "GET", "/v1/checkout-links/", 200),
        ("orders:read", "POST", "/v1/orders/00000000-0000-4000-8000-000000000000/invoice", 404),
        ("", "GET", "/v1/products/", 403),
    ],
)
def test_scopes(scopes: str, method: str, path: str, status: int) -> None:
    Inside().call(
        method, path, {} if method == "POST" else None, status, token=f"polar_oat_scoped_{scopes}"
    )


def test_the_sandbox_limit(polar: LocalPolar, http: httpx.Client) -> None:
    httpx.post(f"{polar.url}/_emulator/rate-limit")
    answers = [http.get("/v1/organizations/") for _ in range(101)]
    assert {answer.status_code for answer in answers[:100]} == {200}
    was, got = recorded.answer("429-rate-limit"), answers[100]
    assert (got.status_code, got.content) == (429, b"")
    assert got.headers["retry-after"] == was["answer_headers"]["retry-after"]
    assert "polar-version" in got.headers
    assert not {"content-type", "x-polar-sandbox", "cache-control"} & set(got.headers)
    other = http.get("/v1/organizations/", headers={"Authorization": "Bearer polar_oat_other"})
    assert other.status_code == 200
    with (
        Polar(polar.token, base_url=polar.url) as sdk,
        pytest.raises(PolarRateLimitError) as caught,
    ):
        sdk.products.list()
    assert caught.value.retry_after == 60
    polar.control("POST", "/rate-limit", {"per_minute": None})
    assert http.get("/v1/organizations/").status_code == 200


def test_strangers_and_confirmations(polar: LocalPolar, buyers: Buyers) -> None:
    secret = buyers.open().client_secret
    polar.control("POST", "/rate-limit", {"per_minute": 1000})
    path = f"{polar.url}/v1/checkouts/client/{secret}/confirm"
    with httpx.Client() as client:
        statuses = [client.post(path, json={}).status_code for _ in range(7)]
        assert statuses == [422] * 6 + [429]
        stranger = {"Authorization": "Bearer nobody"}
        statuses = [
            client.get(f"{polar.url}/v1/products/", headers=stranger).status_code for _ in range(61)
        ]
    assert statuses == [401] * 60 + [429]
    assert (
        httpx.post(f"{polar.url}/_emulator/rate-limit", json={"per_minute": "x"}).status_code == 422
    )


def test_lists_and_filters() -> None:
    here = Inside()
    here.buy(user="ann")
    here.buy("Lifetime", user="bob")
    here.call(
        "POST",
        "/v1/customers/",
        {"email": "c@example.com", "name": "Carla", "metadata": {"tier": "gold"}},
        201,
    )

    def found(path: str) -> list[str]:
        items = here.call("GET", path)["items"]
        return sorted(item.get("email") or item["id"] for item in items)

    assert found("/v1/customers/?active=true") == ["ann@example.com"]
    assert found("/v1/customers/?active=false") == ["bob@example.com", "c@example.com"]
    assert found("/v1/customers/?query=carl") == ["c@example.com"]
    assert found("/v1/customers/?query=BOB") == ["bob@example.com"]
    assert found("/v1/customers/?metadata[tier]=gold") == ["c@example.com"]
    assert found("/v1/customers/?metadata[tier]=lead") == []
    organization, bob = here.world.organization["id"], here.customer("bob")["id"]
    for resource in ("customers", "orders", "subscriptions", "benefit-grants", "checkouts"):
        assert found(f"/v1/{resource}/?organization_id={organization}")
        assert found(f"/v1/{resource}/?organization_id={bob}") == []
    assert len(found("/v1/orders/?product_billing_type=one_time")) == 1
    assert len(found("/v1/orders/?product_billing_type=recurring")) == 1
    assert found("/v1/orders/?created_after=2100-01-01T00:00:00Z") == []
    assert len(found("/v1/orders/?created_before=2100-01-01")) == 2
    here.call("GET", "/v1/orders/?created_before=soon", None, 422)
    assert len(found("/v1/subscriptions/?started_after=2000-01-01")) == 1
    reports = here.call("GET", "/v1/benefits/?query=Reports")["items"][0]["id"]
    assert len(found(f"/v1/benefit-grants/?is_granted=true&benefit_id={reports}")) == 2
    assert len(found(f"/v1/benefit-grants/?customer_id={bob}")) == 2
    assert found("/v1/benefit-grants/?is_granted=false") == []


def test_orders_are_changed_and_have_receipts() -> None:
    here = Inside()
    here.buy(token="ctoken_fails_later")
    here.events()
    order = here.orders()[0]
    path = f"/v1/orders/{order['id']}"
    body = {"billing_name": "ACME", "billing_address": {"country": "FR", "city": "Paris"}}
    changed = here.call("PATCH", path, body)
    assert (changed["billing_name"], changed["billing_address"]["city"]) == ("ACME", "Paris")
    assert here.events() == ["order.updated"]
    here.call("PATCH", path, {"billing_address": {"country": "Mars"}}, 422)
    first = here.client.get(f"{path}/receipt", headers={"Authorization": "Bearer polar_oat_x"})
    was = recorded.answer("orders-receipt-get")
    assert (first.status_code, first.data) == (was["status"], b"")
    assert "content-type" not in first.headers
    here.settle()
    url = here.call("GET", f"{path}/receipt")["url"]
    pdf = here.client.get(url.removeprefix("http://localhost"))
    assert pdf.data.startswith(b"%PDF")
    here.advance(31)
    unpaid = here.orders()[0]["id"]
    here.call("GET", f"/v1/orders/{unpaid}/receipt", None, 404)
    answer = here.call("POST", f"/v1/orders/{unpaid}/invoice", None, 409)
    assert answer["error"] == "OrderNotEligibleForInvoice"
    assert answer["detail"]
