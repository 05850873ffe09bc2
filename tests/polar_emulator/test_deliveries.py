"""Deliveries: signatures, headers, retries, order, and payloads as recorded."""

import base64
import contextlib
import json
import time
from datetime import datetime
from typing import Any

import httpx
import pytest
from polar.v2026_10 import Polar
from polar.v2026_10.webhooks import validate_event
from polar.webhooks import PolarWebhookError
from standardwebhooks import Webhook, WebhookVerificationError

from polar_emulator import deliveries, testing
from polar_emulator.jobs import wait_until
from polar_emulator.testing import LocalPolar
from tests.polar_emulator import recorded
from tests.polar_emulator.buyers import DECLINED, FAILS_LATER, Buyers, product_id
from tests.polar_emulator.conftest import SECRET
from tests.polar_emulator.likeness import shape_differences
from tests.polar_emulator.receiving import Delivery, Receiver

HOUR = 3600


def change(sdk: Polar) -> None:
    """The smallest thing that brings an event."""
    sdk.products.update(product_id("Free"), description="Changed")


def loads(delivery: Delivery) -> bool:
    """Whether the SDK can type it; its own mistake about active subscriptions is expected."""
    event = json.loads(delivery.raw)
    try:
        validate_event(delivery.raw, delivery.headers, SECRET)
    except PolarWebhookError:
        # Facts, section 6: 1.0.2 knows no status of an active subscription in a customer state.
        return event["type"] == "customer.state_changed" and bool(
            event["data"]["active_subscriptions"]
        )
    return True


def arrived(receiver: Receiver, count: int) -> list[Delivery]:
    assert wait_until(lambda: len(receiver.deliveries) >= count, 5)
    return receiver.deliveries


def test_headers_and_body(sdk: Polar, polar: LocalPolar, receiver: Receiver) -> None:
    change(sdk)
    polar.wait_idle()
    (delivery,) = receiver.deliveries
    headers = delivery.headers
    assert headers["user-agent"] == "polar.sh webhooks"
    assert headers["content-type"] == "application/json"
    assert len(headers["webhook-id"]) == 36
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 5
    assert headers["webhook-signature"].startswith("v1,")
    event = json.loads(delivery.raw)
    assert list(event) == ["type", "timestamp", "api_version", "data"]
    compact = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
    assert delivery.raw == compact
    assert datetime.fromisoformat(event["timestamp"]).tzinfo


def test_signed_for_both_verifiers(sdk: Polar, polar: LocalPolar, receiver: Receiver) -> None:
    change(sdk)
    polar.wait_idle()
    (delivery,) = receiver.deliveries
    Webhook(SECRET.encode()).verify(delivery.raw, delivery.headers)
    Webhook(base64.b64encode(SECRET.encode()).decode()).verify(delivery.raw, delivery.headers)
    assert validate_event(delivery.raw, delivery.headers, SECRET).type == "product.updated"


def test_newer_signing_scheme_for_endpoints(
    http: httpx.Client, sdk: Polar, polar: LocalPolar, receiver: Receiver
) -> None:
    body = {"url": receiver.url, "format": "raw", "events": ["product.created"]}
    made = http.post(
        "/v1/webhooks/endpoints", json={**body, "uses_standard_webhook_signature": True}
    ).json()
    assert made["uses_standard_webhook_signature"]
    sdk.products.create(name="New", prices=[{"amount_type": "free"}])
    polar.wait_idle()
    # Made in the same moment, so either of the two can be the first.
    keys = {made["secret"]: 0, base64.b64encode(SECRET.encode()).decode(): 0}
    for delivery in receiver.deliveries:
        for key in keys:
            with contextlib.suppress(WebhookVerificationError):
                Webhook(key).verify(delivery.raw, delivery.headers)
                keys[key] += 1
    assert list(keys.values()) == [1, 1]


def test_newer_signing_scheme_on_the_command_line(receiver: Receiver) -> None:
    secret = "whsec_" + base64.b64encode(b"a key of 24 bytes or so.").decode()
    options = {"webhook_url": receiver.url, "webhook_secret": secret, "webhook_standard": True}
    with testing.start(**options) as polar, Polar(polar.token, base_url=polar.url) as sdk:
        sdk.customers.create(email="jane@example.com")
        polar.wait_idle()
    assert len(receiver.deliveries) == 3
    for delivery in receiver.deliveries:
        Webhook(secret).verify(delivery.raw, delivery.headers)


def test_every_event_loads_and_looks_as_recorded(
    buyers: Buyers, sdk: Polar, polar: LocalPolar, receiver: Receiver
) -> None:
    everything(buyers, sdk, polar)
    seen: dict[str, list[Any]] = {}
    for delivery in receiver.deliveries:
        assert loads(delivery), delivery.raw
        event = json.loads(delivery.raw)
        seen.setdefault(event["type"], []).append(event)
    assert set(recorded.event_types()) <= set(seen)
    for name in recorded.event_types():
        for event in seen[name]:
            assert shape_differences(recorded.event(name), event) == [], name


def everything(buyers: Buyers, sdk: Polar, polar: LocalPolar) -> None:
    """Steps that bring every event type which was recorded and is modelled."""
    sdk.benefits.create(type="feature_flag", description="More", properties={})
    price = {"amount_type": "fixed", "price_amount": 100, "price_currency": "usd"}
    sdk.products.create(name="New", prices=[price])
    change(sdk)
    buyers.open(user="late")
    buyers.pay(buyers.open(user="declined"), DECLINED)
    for product, user in (
        ("Pro Monthly", "a"),
        ("Team Monthly", "b"),
        ("Lifetime", "c"),
        ("Free", "d"),
    ):
        buyers.buy(product, user, country="FR")
    key = buyers.subscription("a").id
    sdk.subscriptions.update(key, cancel_at_period_end=True)
    polar.wait_idle()
    sdk.subscriptions.update(key, cancel_at_period_end=False)
    polar.advance(32 * 24 * HOUR)
    polar.wait_idle()
    sdk.customers.update_external("d", name="Renamed")
    order = sdk.orders.list(external_customer_id=["c"]).items[0]
    sdk.refunds.create(order_id=order.id, reason="other", amount=100)
    sdk.subscriptions.revoke(key)
    buyers.pay(buyers.open("Team Monthly", "e"), FAILS_LATER)
    polar.advance(15 * 24 * HOUR)
    sdk.customers.delete_external("b")
    polar.wait_idle()


def test_order_of_arrival(buyers: Buyers, receiver: Receiver) -> None:
    buyers.buy()
    stamps = [json.loads(delivery.raw)["timestamp"] for delivery in receiver.deliveries]
    assert stamps == sorted(set(stamps))
    assert len({delivery.headers["webhook-id"] for delivery in receiver.deliveries}) == len(stamps)


@pytest.mark.parametrize("failure", [500, 302, 404])
def test_failures_are_tried_again(sdk: Polar, receiver: Receiver, failure: int) -> None:
    receiver.answers = [failure, failure]
    change(sdk)
    first, second, third = arrived(receiver, 3)
    assert first.headers["webhook-id"] == third.headers["webhook-id"]
    assert first.raw == second.raw == third.raw
    time.sleep(0.1)
    assert len(receiver.deliveries) == 3


def test_a_failed_delivery_does_not_block_the_next(sdk: Polar, receiver: Receiver) -> None:
    receiver.answers = [500]
    change(sdk)
    sdk.products.update(product_id("Lifetime"), description="Changed too")
    first, second, third = arrived(receiver, 3)
    assert first.raw in (second.raw, third.raw)
    assert {second.raw, third.raw} != {first.raw}


def test_ten_attempts_and_no_more(sdk: Polar, polar: LocalPolar, receiver: Receiver) -> None:
    receiver.answers = [500] * 12
    change(sdk)
    arrived(receiver, 1)
    for _ in range(12):
        polar.advance(HOUR)
        polar.wait_idle()
    assert len(receiver.deliveries) == 10
    delivered = sdk.webhooks.list_webhook_deliveries(limit=100).items
    assert [found.http_code for found in delivered] == [500] * 10
    assert delivered[0].webhook_event.succeeded is False


def test_202_is_a_success(sdk: Polar, polar: LocalPolar, receiver: Receiver) -> None:
    receiver.answers = [202]
    change(sdk)
    polar.wait_idle()
    (delivery,) = sdk.webhooks.list_webhook_deliveries().items
    assert (delivery.succeeded, delivery.http_code, delivery.response) == (True, 202, '{"ok":true}')


def test_redelivery_has_the_same_id(sdk: Polar, polar: LocalPolar, receiver: Receiver) -> None:
    change(sdk)
    polar.wait_idle()
    event = sdk.webhooks.list_webhook_deliveries().items[0].webhook_event
    sdk.webhooks.redeliver_webhook_event(event.id)
    first, second = arrived(receiver, 2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == event.id
    assert first.raw == second.raw == (event.payload or "").encode()


def test_endpoint_is_switched_off(sdk: Polar, polar: LocalPolar, receiver: Receiver) -> None:
    receiver.answers = [500] * 100
    for number in range(10):
        sdk.products.update(product_id("Free"), description=f"Change {number}")
    for _ in range(12):
        polar.advance(HOUR)
        polar.wait_idle()
    (endpoint,) = sdk.webhooks.list_webhook_endpoints().items
    assert endpoint.enabled is False
    before = len(receiver.deliveries)
    change(sdk)
    polar.wait_idle()
    assert len(receiver.deliveries) == before


def test_only_the_events_wanted(sdk: Polar, polar: LocalPolar, receiver: Receiver) -> None:
    (endpoint,) = sdk.webhooks.list_webhook_endpoints().items
    changed = sdk.webhooks.update_webhook_endpoint(endpoint.id, events=["order.paid"])
    assert changed.events == ["order.paid"]
    change(sdk)
    polar.wait_idle()
    assert receiver.deliveries == []
    secret = sdk.webhooks.reset_webhook_endpoint_secret(endpoint.id).secret
    assert secret.startswith("whsec_")
    assert secret != endpoint.secret
    sdk.webhooks.delete_webhook_endpoint(endpoint.id)
    assert sdk.webhooks.list_webhook_endpoints().items == []


def test_reset_in_the_middle(sdk: Polar, polar: LocalPolar, receiver: Receiver) -> None:
    for _ in range(15):
        for _ in range(3):
            change(sdk)
        polar.reset()
        receiver.deliveries.clear()
    change(sdk)
    polar.wait_idle()
    assert len(receiver.deliveries) == 1


def test_dropped(sdk: Polar, polar: LocalPolar, receiver: Receiver) -> None:
    polar.faults(drop_webhooks=True)
    change(sdk)
    polar.wait_idle()
    assert receiver.deliveries == []
    assert polar.events() == ["product.updated"]


def test_backoff_grows_as_recorded() -> None:
    bounds = [(4, 8), (8, 16), (16, 32), (32, 64), (64, 128), (128, 256), (256, 512)]
    for attempts, (least, most) in enumerate(bounds, start=1):
        assert all(least <= deliveries.backoff_seconds(attempts) <= most for _ in range(50))
    assert all(600 <= deliveries.backoff_seconds(9) <= 1200 for _ in range(50))
