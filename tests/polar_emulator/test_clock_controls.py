"""Moving the clock: to the next event, by days and months, until a date; with everything in between."""

import time

import httpx
import pytest
from polar.v2026_10 import Polar

from polar_emulator.testing import LocalPolar
from tests.polar_emulator.buyers import Buyers, product_id
from tests.polar_emulator.receiving import Receiver


def test_to_the_next_event(buyers: Buyers, polar: LocalPolar) -> None:
    buyers.open(user="late")
    clock = polar.control("GET", "/clock")
    assert clock["next_event_at"] > clock["now"]
    polar.control("POST", "/clock", {"next": True})
    polar.wait_idle()
    assert polar.events() == ["checkout.created", "checkout.expired"]


def test_nothing_is_planned(polar: LocalPolar) -> None:
    assert polar.control("GET", "/clock")["next_event_at"] is None
    answer = httpx.post(f"{polar.url}/_emulator/clock", json={"next": True})
    assert (answer.status_code, answer.json()) == (422, {"error": "Nothing is planned."})


def test_by_days_months_and_until_a_date(polar: LocalPolar) -> None:
    start = polar.control("GET", "/clock")["now"]
    assert polar.control("POST", "/clock", {"days": 2})["ahead_seconds"] == pytest.approx(
        172800, abs=5
    )
    later = polar.control("POST", "/clock", {"months": 1})["now"]
    assert later[:7] != start[:7]
    year = int(later[:4]) + 1
    assert polar.control("POST", "/clock", {"until": f"{year}-03-01"})["now"].startswith(
        f"{year}-03-01T00:00:0"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"until": "2001-01-01"},
        {"until": "soon"},
        {"days": "many"},
        {"days": 4000},
        {"months": 1.5},
        {"months": 10**9},
        {"days": 1, "next": True},
    ],
)
def test_times_that_cannot_be_gone_to(polar: LocalPolar, wrong: dict[str, object]) -> None:
    answer = httpx.post(f"{polar.url}/_emulator/clock", json=wrong)
    assert answer.status_code == 422
    assert answer.json()["error"]


def test_a_month_is_quick_and_in_order(
    buyers: Buyers, polar: LocalPolar, receiver: Receiver, sdk: Polar
) -> None:
    buyers.buy("Pro Monthly", "a")
    polar.advance(3600)
    buyers.buy("Team Monthly", "b")
    started = time.monotonic()
    polar.control("POST", "/clock", {"months": 1})
    assert time.monotonic() - started < 1
    polar.wait_idle()
    found = polar.control("GET", "/events")["items"]
    moments = [event["timestamp"] for event in found]
    assert moments == sorted(moments)
    assert len(receiver.deliveries) == len(found)


def test_ten_attempts_happen_on_the_way(sdk: Polar, polar: LocalPolar, receiver: Receiver) -> None:
    receiver.answers = [500] * 12
    sdk.products.update(product_id("Free"), description="Changed")
    polar.control("POST", "/clock", {"days": 1})
    polar.wait_idle()
    tried = [found.created_at for found in sdk.webhooks.list_webhook_deliveries(limit=100).items]
    assert len(tried) == len(set(tried)) == 10
    assert receiver.answers == [500, 500]
