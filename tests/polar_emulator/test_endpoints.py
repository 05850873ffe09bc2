"""Several webhook endpoints, each with its events, its secret and its way of signing."""

import base64
import dataclasses
import json

import httpx
import pytest
from polar.v2026_10 import Polar
from polar.v2026_10.webhooks import validate_event
from standardwebhooks import Webhook, WebhookVerificationError

from polar_emulator.jobs import wait_until
from polar_emulator.testing import LocalPolar
from tests.polar_emulator.buyers import product_id
from tests.polar_emulator.inside import Inside
from tests.polar_emulator.receiving import Receiver

# 24 bytes in base64, as newer secrets are.
STANDARD_SECRET = "whsec_" + base64.b64encode(b"twenty-four bytes of key").decode()


def test_each_has_its_events_and_its_secret(
    http: httpx.Client, sdk: Polar, polar: LocalPolar, receiver: Receiver
) -> None:
    body = {"url": receiver.url, "format": "raw"}
    paths = {}
    for name, events, standard in (
        ("products", ["product.updated"], True),
        ("customers", ["customer.created", "member.created"], False),
    ):
        made = http.post(
            "/v1/webhooks/endpoints",
            json={
                **body,
                "name": name,
                "events": events,
                "uses_standard_webhook_signature": standard,
                **({"secret": STANDARD_SECRET} if standard else {}),
            },
        ).json()
        assert (made["format"], made["events"], made["enabled"]) == ("raw", events, True)
        paths[name] = made
    sdk.products.update(product_id("Free"), description="Changed")
    sdk.customers.create(email="a@example.com")
    polar.wait_idle()
    seen = [json.loads(found.raw)["type"] for found in receiver.deliveries]
    # The endpoint of the settings gets everything, each other one what it asked for.
    assert sorted(seen) == sorted(
        ["product.updated"] * 2
        + ["customer.created"] * 2
        + ["member.created"] * 2
        + ["customer.state_changed"]
    )
    ids = [found.headers["webhook-id"] for found in receiver.deliveries]
    assert len(set(ids)) == len(ids)
    verified = {"products": 0, "customers": 0}
    for found in receiver.deliveries:
        for name, endpoint in paths.items():
            secret = endpoint["secret"]
            key = secret if endpoint["uses_standard_webhook_signature"] else secret.encode()
            try:
                Webhook(key).verify(found.raw, found.headers)
            except WebhookVerificationError:
                continue
            validate_event(found.raw, found.headers, secret)
            verified[name] += 1
    assert verified == {"products": 1, "customers": 2}


def test_a_new_secret_signs_from_then_on(
    http: httpx.Client, sdk: Polar, polar: LocalPolar, receiver: Receiver
) -> None:
    body = {"url": receiver.url, "format": "raw", "events": ["product.updated"]}
    made = http.post("/v1/webhooks/endpoints", json=body).json()
    renewed = http.patch(f"/v1/webhooks/endpoints/{made['id']}/secret").json()
    assert renewed["secret"] != made["secret"]
    assert renewed["modified_at"]
    sdk.products.update(product_id("Free"), description="Changed")
    assert wait_until(lambda: len(receiver.deliveries) == 2, 5)
    keys = [renewed["secret"].encode(), made["secret"].encode()]
    verified = [
        sum(verifies(key, found.raw, found.headers) for found in receiver.deliveries)
        for key in keys
    ]
    assert verified == [1, 0]


def verifies(key: bytes, raw: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(key).verify(raw, headers)
    except WebhookVerificationError:
        return False
    return True


def test_a_switched_off_endpoint_gets_nothing() -> None:
    here = Inside()
    body = {"url": "http://127.0.0.1:9/", "format": "raw", "events": ["product.updated"]}
    made = here.call("POST", "/v1/webhooks/endpoints", body, 201)
    path = f"/v1/webhooks/endpoints/{made['id']}"
    assert here.call("PATCH", path, {"enabled": False})["enabled"] is False
    here.call("PATCH", f"/v1/products/{product_id('Free')}", {"name": "Gratis"})
    assert here.world.store.count("webhook_event") == 0
    here.call("PATCH", path, {"enabled": True, "events": ["customer.created"]})
    here.call("PATCH", f"/v1/products/{product_id('Free')}", {"name": "Free"})
    assert here.world.store.count("webhook_event") == 0
    here.call("POST", "/v1/customers/", {"email": "a@example.com"}, 201)
    here.settle()
    assert here.world.store.count("webhook_event") == 1
    here.call("DELETE", path, None, 204)
    here.call("GET", path, None, 404)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("http_code_class=2xx", 1),
        ("http_code_class=5xx", 0),
        ("start_timestamp=2000-01-01", 1),
        ("end_timestamp=2000-01-01", 0),
        ("event_type=product.updated&succeeded=true", 1),
        ("event_type=order.paid", 0),
    ],
)
def test_deliveries_are_found(
    sdk: Polar, polar: LocalPolar, http: httpx.Client, query: str, count: int
) -> None:
    sdk.products.update(product_id("Free"), description="Changed")
    polar.wait_idle()
    assert len(http.get(f"/v1/webhooks/deliveries?{query}").json()["items"]) == count


def test_an_unknown_class_of_answers(http: httpx.Client) -> None:
    assert http.get("/v1/webhooks/deliveries?http_code_class=teapot").status_code == 422


def test_benefits_are_deleted() -> None:
    here = Inside()
    here.buy()
    here.events()
    reports = here.call("GET", "/v1/benefits/?query=Reports")["items"][0]["id"]
    here.call("DELETE", f"/v1/benefits/{reports}", None, 204)
    here.call("GET", f"/v1/benefits/{reports}", None, 404)
    assert here.events() == ["benefit.updated", "benefit_grant.revoked", "customer.state_changed"]
    product = here.call("GET", f"/v1/products/{product_id('Pro Monthly')}")
    assert [benefit["description"] for benefit in product["benefits"]] == ["25 projects"]


@pytest.mark.parametrize(
    ("url", "usually", "strictly"),
    [
        ("https://hooks.example.com/polar", 201, 201),
        ("http://hooks.example.com/polar", 201, 422),
        ("http://localhost:5000/hook", 201, 422),
        ("https://localhost/hook", 201, 422),
        ("https://127.0.0.1/hook", 201, 422),
        ("https://[::1]/hook", 201, 422),
        ("https://192.168.1.7/hook", 422, 422),
        ("https://10.0.0.1/hook", 422, 422),
        ("https://169.254.169.254/latest", 422, 422),
        ("https://0.0.0.0/hook", 422, 422),
        ("https://[fd00::1]/hook", 422, 422),
        ("https://8.8.8.8/hook", 201, 201),
    ],
)
def test_addresses_of_endpoints(url: str, usually: int, strictly: int) -> None:
    here = Inside()
    body = {"url": url, "format": "raw", "events": ["order.paid"]}
    here.call("POST", "/v1/webhooks/endpoints", body, usually)
    kept = here.world.settings
    here.world.settings = dataclasses.replace(kept, strict_webhook_urls=True)
    try:
        here.call("POST", "/v1/webhooks/endpoints", body, strictly)
    finally:
        here.world.settings = kept
