"""The control page."""

import httpx
import pytest
from polar.base import PolarRateLimitError
from polar.v2026_10 import Polar

from polar_emulator.testing import LocalPolar
from tests.polar_emulator.buyers import Buyers
from tests.polar_emulator.pages import find, has, parse, press, text
from tests.polar_emulator.receiving import Receiver


def test_shows_what_is_there(buyers: Buyers, browser: httpx.Client, receiver: Receiver) -> None:
    empty = browser.get("/")
    assert "Nobody yet" in empty.text
    buyers.buy()
    page = browser.get("/")
    assert "user_1@example.com" in text(page, "control-customers")
    assert "Pro Monthly" in text(page, "control-customers")
    assert "delivered, 200" in text(page, "control-events")
    assert receiver.url in page.text


def test_reset(buyers: Buyers, browser: httpx.Client, sdk: Polar) -> None:
    buyers.buy()
    page = press(browser, browser.get("/"), "control-reset")
    assert page.status_code == 200
    assert sdk.customers.list().items == []


def test_redeliver(
    buyers: Buyers, browser: httpx.Client, polar: LocalPolar, receiver: Receiver
) -> None:
    buyers.open()
    polar.wait_idle()
    link = parse(browser.get("/")).select_one('[data-testid="control-events"] a')
    assert link is not None
    page = browser.get(str(link["href"]))
    assert "checkout.created" in page.text
    press(browser, page, "control-redeliver")
    polar.wait_idle()
    first, second = receiver.deliveries
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_clock(browser: httpx.Client, buyers: Buyers) -> None:
    buyers.buy()
    before = buyers.subscription().current_period_end
    page = press(browser, browser.get("/"), "control-clock-month")
    assert "moved" in text(page, "control-now")
    assert buyers.subscription().current_period_end > before
    assert browser.post("/control/clock", data={"step": "century"}).status_code == 422


def test_pages_of_other_sites_cannot_act(polar: LocalPolar, buyers: Buyers) -> None:
    buyers.buy()
    foreign = {"Origin": "https://evil.example.com"}
    for path in ("/control/reset", "/_emulator/reset"):
        assert httpx.post(f"{polar.url}{path}", headers=foreign).status_code == 403
    rebound = {"Host": "evil.example.com"}
    assert httpx.get(f"{polar.url}/", headers=rebound).status_code == 400
    assert buyers.subscription()


def test_unknown_things(browser: httpx.Client) -> None:
    assert browser.get("/events/none").status_code == 404
    assert browser.post("/control/redeliver/none").status_code == 404
    assert browser.get("/invoices/none/none.pdf").status_code == 404
    assert browser.put("/").status_code == 405


def test_plays_scenarios(buyers: Buyers, browser: httpx.Client) -> None:
    buyers.buy()
    page = press(browser, browser.get("/"), "scenario-fail-next-renewal")
    assert text(page, "control-done") == "Done: fail the next renewal."
    assert has(page, "scenario-recover")
    page = press(browser, page, "scenario-revoke")
    assert buyers.subscription().status == "canceled"
    assert not has(page, "scenario-revoke")
    assert browser.post("/control/scenarios/revoke").status_code == 422
    assert browser.post("/control/scenarios/fly").status_code == 422


def test_expires_checkouts(buyers: Buyers, browser: httpx.Client, sdk: Polar) -> None:
    checkout = buyers.open()
    press(browser, browser.get("/"), "scenario-expire-checkout")
    assert sdk.checkouts.get(checkout.id).status == "expired"


def test_goes_to_the_next_event_and_to_a_date(browser: httpx.Client, buyers: Buyers) -> None:
    buyers.open()
    page = browser.get("/")
    assert "a checkout expires" in text(page, "control-plans")
    page = press(browser, page, "control-clock-next")
    assert not has(page, "control-clock-next")
    page = press(browser, page, "control-clock-until", until="2099-01-01")
    assert page.status_code == 422
    page = press(browser, browser.get("/"), "control-clock-until", until="2030-02-01")
    assert text(page, "control-now").startswith("2030-02-01")


def test_sets_faults(polar: LocalPolar, browser: httpx.Client) -> None:
    page = press(browser, browser.get("/"), "fault-set", api="500", duplicate_webhooks="on")
    assert "API fault: 500" in page.text
    assert polar.control("GET", "/faults")["duplicate_webhooks"]
    for wrong in ({"slow_seconds": "long"}, {"per_minute": "0"}, {"per_minute": "²"}):
        assert press(browser, page, "fault-set", api="", **wrong).status_code == 422
    polar.control("DELETE", "/faults")
    press(browser, browser.get("/"), "send-unknown-type")
    assert polar.events() == ["subscription.teleported"]


def test_limits_requests_and_ends_all_faults(
    polar: LocalPolar, browser: httpx.Client, sdk: Polar
) -> None:
    page = press(browser, browser.get("/"), "fault-set", per_minute="1", drop_webhooks="on")
    assert text(page, "control-done") == "The faults are set."
    assert "1 requests a minute" in page.text
    sdk.products.list()
    with pytest.raises(PolarRateLimitError):
        sdk.products.list()
    press(browser, browser.get("/"), "fault-off")
    sdk.products.list()
    assert not polar.control("GET", "/faults")["drop_webhooks"]


def test_delivery_log(buyers: Buyers, browser: httpx.Client, receiver: Receiver) -> None:
    receiver.answers = [500]
    buyers.open()
    buyers.polar.wait_idle()
    page = browser.get(str(find(browser.get("/"), "control-deliveries")["href"]))
    assert "500" in text(page, "delivery-log")
    assert receiver.url in text(page, "delivery-log")
    assert browser.get("/control/events").json()["rows"].count("<tr>") == 1


def test_scripts_come_from_here_only(browser: httpx.Client) -> None:
    policy = browser.get("/").headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
