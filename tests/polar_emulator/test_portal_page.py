"""The customer portal."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from polar.v2026_10 import Polar

from polar_emulator.testing import LocalPolar
from tests.polar_emulator.buyers import Buyers, product_id
from tests.polar_emulator.pages import find, has, parse, press, text


@pytest.fixture
def portal(buyers: Buyers, sdk: Polar, browser: httpx.Client) -> httpx.Response:
    """The portal of somebody with a monthly plan."""
    buyers.buy()
    return enter(sdk, browser)


def enter(sdk: Polar, browser: httpx.Client, user: str = "user_1") -> httpx.Response:
    session = sdk.customer_sessions.create(
        external_customer_id=user, return_url="https://app.example.com/settings/billing"
    )
    return browser.get(session.customer_portal_url)


def test_address(buyers: Buyers, sdk: Polar, polar: LocalPolar) -> None:
    buyers.buy()
    session = sdk.customer_sessions.create(external_customer_id="user_1")
    parts = urlsplit(session.customer_portal_url)
    assert session.customer_portal_url.startswith(f"{polar.url}/demo/portal?")
    query = parse_qs(parts.query)
    assert query["email"] == ["user_1@example.com"]
    assert query["customer_session_token"][0].startswith("polar_mst_")


def test_shows_plan_and_orders(portal: httpx.Response) -> None:
    assert "token" not in str(portal.url)
    assert text(portal, "portal-plan") == "Pro Monthly"
    assert text(portal, "portal-status") == "Active"
    assert text(portal, "portal-status-text").startswith("Renews on")
    assert "Reports" in text(portal, "portal-benefits")
    assert "$20.00" in text(portal, "portal-order")
    back = find(portal, "portal-back")
    assert back["href"] == "https://app.example.com/settings/billing"
    assert text(portal, "portal-back") == "Back to app.example.com"


def test_cancel_and_keep(
    portal: httpx.Response, browser: httpx.Client, buyers: Buyers, polar: LocalPolar
) -> None:
    question = browser.get(str(find(portal, "portal-cancel")["href"]))
    page = press(browser, question, "portal-cancel-confirm", reason="too_expensive", comment="bye")
    assert text(page, "portal-status") == "Canceled, still active"
    assert "You keep access until" in text(page, "portal-status-text")
    subscription = buyers.subscription()
    assert subscription.cancel_at_period_end
    assert subscription.customer_cancellation_reason == "too_expensive"
    assert subscription.customer_cancellation_comment == "bye"
    again = press(browser, question, "portal-cancel-confirm")
    assert again.status_code == 200
    page = press(browser, page, "portal-keep")
    assert text(page, "portal-status") == "Active"
    assert not buyers.subscription().cancel_at_period_end
    polar.wait_idle()
    assert "subscription.uncanceled" in polar.events()


def test_unknown_reason(portal: httpx.Response, browser: httpx.Client, buyers: Buyers) -> None:
    question = browser.get(str(find(portal, "portal-cancel")["href"]))
    page = press(browser, question, "portal-cancel-confirm", reason="bored")
    assert page.status_code == 422
    assert has(page, "portal-error")
    page = press(browser, question, "portal-cancel-confirm", comment="x" * 2000)
    assert page.status_code == 422
    assert not buyers.subscription().cancel_at_period_end


def test_forms_need_their_token(
    portal: httpx.Response, browser: httpx.Client, buyers: Buyers
) -> None:
    path = f"/demo/portal/subscriptions/{buyers.subscription().id}/cancel"
    assert browser.post(path, data={"csrf": "guess"}).status_code == 403
    assert browser.post(path).status_code == 403
    assert not buyers.subscription().cancel_at_period_end


def test_invoice(portal: httpx.Response, browser: httpx.Client, sdk: Polar) -> None:
    pdf = press(browser, portal, "portal-invoice")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-1.4")
    assert pdf.content.rstrip().endswith(b"%%EOF")
    order = sdk.orders.list().items[0]
    assert (order.invoice_number or "").encode() in pdf.content
    assert sdk.orders.invoice(order.id).url == str(pdf.url)


def test_no_session(browser: httpx.Client, buyers: Buyers) -> None:
    buyers.buy()
    path = f"/demo/portal/subscriptions/{buyers.subscription().id}/cancel"
    for page in (
        browser.get("/demo/portal"),
        browser.get("/demo/portal?customer_session_token=polar_mst_wrong&email=x"),
        browser.get(path),
        browser.post(path),
    ):
        assert page.status_code == 401
        assert has(page, "portal-expired")
    assert browser.get("/other/portal").status_code == 404


def test_session_ends_after_an_hour(
    portal: httpx.Response, browser: httpx.Client, polar: LocalPolar
) -> None:
    polar.advance(3601)
    assert browser.get("/demo/portal").status_code == 401


def test_only_ones_own(
    portal: httpx.Response, browser: httpx.Client, buyers: Buyers, sdk: Polar
) -> None:
    buyers.buy(user="other")
    theirs = buyers.subscription("other").id
    assert browser.get(f"/demo/portal/subscriptions/{theirs}/cancel").status_code == 404
    csrf = parse(portal).select_one("input[name=csrf]")
    assert csrf is not None
    path = f"/demo/portal/subscriptions/{theirs}/cancel"
    assert browser.post(path, data={"csrf": str(csrf["value"])}).status_code == 404


def test_without_a_subscription(sdk: Polar, browser: httpx.Client) -> None:
    sdk.customers.create(email="jane@example.com", external_id="user_1")
    assert has(enter(sdk, browser), "portal-no-subscription")


def test_after_the_end(buyers: Buyers, sdk: Polar, browser: httpx.Client) -> None:
    buyers.buy()
    sdk.subscriptions.revoke(buyers.subscription().id)
    page = enter(sdk, browser)
    assert "Ended on" in text(page, "portal-past-subscription")
    assert has(page, "portal-no-subscription")


def test_change_plan(portal: httpx.Response, browser: httpx.Client, buyers: Buyers) -> None:
    page = browser.get(str(find(portal, "portal-change")["href"]))
    nothing = press(browser, page, "portal-plan-confirm")
    assert nothing.status_code == 422
    page = press(browser, page, "portal-plan-confirm", product=product_id("Team Monthly"))
    assert text(page, "portal-plan") == "Team Monthly"
    assert buyers.subscription().product_id == product_id("Team Monthly")


def test_declined_change(portal: httpx.Response, browser: httpx.Client, buyers: Buyers) -> None:
    buyers.polar.scenario("fail-next-renewal")
    page = browser.get(str(find(portal, "portal-change")["href"]))
    page = press(browser, page, "portal-plan-confirm", product=product_id("Pro Yearly"))
    assert page.status_code == 402
    assert "declined" in text(page, "portal-error")
    assert buyers.subscription().product_id == product_id("Pro Monthly")


def test_pause_and_resume(portal: httpx.Response, browser: httpx.Client, buyers: Buyers) -> None:
    page = press(browser, portal, "portal-pause-schedule")
    assert "Pauses on" in text(page, "portal-status-text")
    page = press(browser, page, "portal-pause-keep")
    page = press(browser, page, "portal-pause-schedule")
    buyers.polar.advance(31 * 86400)
    buyers.polar.wait_idle()
    assert buyers.subscription().status == "paused"
    page = enter(buyers.sdk, browser)
    assert "Paused" in text(page, "portal-status-text")
    page = press(browser, page, "portal-pause-resume")
    assert text(page, "portal-status") == "Active"


def test_new_card_pays_what_is_due(
    portal: httpx.Response, browser: httpx.Client, buyers: Buyers
) -> None:
    buyers.polar.scenario("fail-next-renewal")
    buyers.polar.advance(31 * 86400)
    buyers.polar.wait_idle()
    page = enter(buyers.sdk, browser)
    assert text(page, "portal-status") == "Past due"
    page = browser.get(str(find(page, "portal-details")["href"]))
    wrong = press(browser, page, "portal-card-save", card_number="4000 0000 0000 0002")
    assert wrong.status_code == 422
    press(browser, page, "portal-card-save", card_number="4242 4242 4242 4242")
    assert buyers.subscription().status == "active"


def test_new_address(portal: httpx.Response, browser: httpx.Client, buyers: Buyers) -> None:
    buyers.buy(user="other")
    page = browser.get(str(find(portal, "portal-details")["href"]))
    for wrong in ("nobody", "other@example.com"):
        refused = press(browser, page, "portal-email-save", email=wrong)
        assert refused.status_code == 422
        assert text(refused, "error-email")
    page = press(browser, page, "portal-email-save", email="new@example.com")
    assert "new@example.com" in text(page, "portal-email")
    assert buyers.sdk.customers.get_external("user_1").email == "new@example.com"
