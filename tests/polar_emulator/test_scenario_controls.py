"""One-click scenarios, odd events and faults of deliveries, over HTTP."""

import json
from typing import Any

import httpx
import pytest
from polar.base import PolarNetworkError
from polar.v2026_10 import Polar

from polar_emulator.scenarios import SCENARIOS
from polar_emulator.testing import LocalPolar
from tests.polar_emulator.buyers import Buyers, product_id
from tests.polar_emulator.receiving import Receiver


def play(polar: LocalPolar, name: str, who: str = "user_1") -> dict[str, Any]:
    played = polar.control("POST", f"/scenarios/{name}", {"who": who})
    polar.wait_idle()
    return played


def test_they_are_listed(polar: LocalPolar) -> None:
    listed = [found["name"] for found in polar.control("GET", "/scenarios")["items"]]
    assert listed == [scenario.name for scenario in SCENARIOS]


def test_a_failing_renewal_and_its_recovery(buyers: Buyers, polar: LocalPolar) -> None:
    buyers.buy()
    play(polar, "fail-next-renewal")
    polar.control("POST", "/clock", {"months": 1})
    polar.wait_idle()
    assert buyers.subscription().status == "past_due"
    events = buyers.events_after(lambda: play(polar, "recover"))
    assert buyers.subscription().status == "active"
    assert "order.paid" in events


def test_retries_are_exhausted(buyers: Buyers, polar: LocalPolar) -> None:
    buyers.buy()
    play(polar, "fail-next-renewal", "user_1@example.com")
    polar.control("POST", "/clock", {"months": 1})
    play(polar, "exhaust-retries")
    assert buyers.subscription().status == "canceled"


def test_refunds(buyers: Buyers, polar: LocalPolar, sdk: Polar) -> None:
    buyers.buy("Lifetime")
    play(polar, "refund-half")
    assert sdk.orders.list().items[0].status == "partially_refunded"
    play(polar, "refund")
    assert sdk.orders.list().items[0].status == "refunded"
    again = httpx.post(f"{polar.url}/_emulator/scenarios/refund", json={"who": "user_1"})
    assert again.status_code == 422


def test_a_subscription_goes_through_everything(buyers: Buyers, polar: LocalPolar) -> None:
    buyers.buy("Team Monthly")
    play(polar, "end-trial")
    assert buyers.subscription().status == "active"
    play(polar, "cancel")
    assert buyers.subscription().cancel_at_period_end
    play(polar, "uncancel")
    play(polar, "pause")
    play(polar, "unpause")
    assert not buyers.subscription().pause_at_period_end
    play(polar, "pause")
    polar.control("POST", "/clock", {"days": 32})
    polar.wait_idle()
    assert buyers.subscription().status == "paused"
    play(polar, "resume")
    assert buyers.subscription().status == "active"
    play(polar, "revoke", buyers.subscription().id)
    assert buyers.subscription().status == "canceled"


def test_customers_and_checkouts(buyers: Buyers, polar: LocalPolar, sdk: Polar) -> None:
    checkout = buyers.open(user="late")
    play(polar, "expire-checkout", "late@example.com")
    assert sdk.checkouts.get(checkout.id).status == "expired"
    buyers.buy()
    play(polar, "delete-customer", "")
    assert sdk.customers.list().items == []


def test_what_cannot_be_played(polar: LocalPolar) -> None:
    for name, who in (("fly", ""), ("revoke", "nobody@example.com")):
        answer = httpx.post(f"{polar.url}/_emulator/scenarios/{name}", json={"who": who})
        assert answer.status_code == 422
        assert "There is no" in answer.json()["error"]


def test_twice(sdk: Polar, polar: LocalPolar, receiver: Receiver) -> None:
    polar.faults(duplicate_webhooks=True)
    sdk.products.update(product_id("Free"), description="Changed")
    polar.wait_idle()
    first, second = receiver.deliveries
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.raw == second.raw


def test_turned_around(buyers: Buyers, polar: LocalPolar, receiver: Receiver) -> None:
    polar.faults(reorder_webhooks=True)
    buyers.buy("Free")
    stamps = [json.loads(delivery.raw)["timestamp"] for delivery in receiver.deliveries]
    assert sorted(stamps) != stamps
    assert len(set(stamps)) == len(polar.events())


def test_delayed(sdk: Polar, polar: LocalPolar, receiver: Receiver) -> None:
    polar.faults(delay_webhooks_seconds=600)
    sdk.products.update(product_id("Free"), description="Changed")
    polar.wait_idle()
    assert receiver.deliveries == []
    polar.control("POST", "/clock", {"next": True})
    polar.wait_idle()
    assert len(receiver.deliveries) == 1


def test_odd_events(buyers: Buyers, polar: LocalPolar, receiver: Receiver) -> None:
    path = f"{polar.url}/_emulator/faults/send"
    assert httpx.post(f"{path}/unknown-value").status_code == 422
    assert httpx.post(f"{path}/nonsense").status_code == 422
    buyers.buy()
    receiver.deliveries.clear()
    assert polar.control("POST", "/faults/send/unknown-type")["sent"] == "subscription.teleported"
    polar.control("POST", "/faults/send/unknown-value")
    polar.wait_idle()
    first, second = (json.loads(delivery.raw) for delivery in receiver.deliveries)
    assert first["type"] == "subscription.teleported"
    assert second["type"] == "subscription.updated"
    assert second["data"]["status"] == "hibernating"


def test_a_broken_answer(polar: LocalPolar, sdk: Polar) -> None:
    polar.faults(api="broken")
    with pytest.raises(PolarNetworkError):
        sdk.products.list()
    faults = polar.control("DELETE", "/faults")
    assert not any(faults[name] for name in faults if name != "slow_seconds")
    assert sdk.products.list().items


def test_a_reset_ends_all_faults(polar: LocalPolar) -> None:
    polar.faults(api="down", duplicate_webhooks=True, delay_webhooks_seconds=9)
    polar.reset()
    faults = polar.control("GET", "/faults")
    assert not any(faults[name] for name in faults if name != "slow_seconds")
