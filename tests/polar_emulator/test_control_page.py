"""The control page."""

import httpx
from polar.v2026_10 import Polar

from polar_emulator.testing import LocalPolar
from tests.polar_emulator.buyers import Buyers
from tests.polar_emulator.conftest import Receiver
from tests.polar_emulator.pages import parse, press, text


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
