"""From a stranger to a paying customer and out again, in a browser, as a person does it."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.conftest import Site

pytestmark = pytest.mark.browser

PASSWORD = "plenty of characters"
GOOD_CARD, DECLINED_CARD = "4242424242424242", "4000000000000002"


def sign_up(page: Any, email: str) -> None:
    """Fill in the sign-up form that is open and confirm the address by the outbox."""
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/signup/sent**")
    open_mail(page, email)
    page.get_by_test_id("mail-text").get_by_role("link").first.click()
    page.get_by_role("button", name="Confirm").click()


def open_mail(page: Any, address: str) -> None:
    """Open the newest mail to an address, once the worker has sent it."""
    mail = page.get_by_role("article").filter(has_text=address).first
    for _ in range(40):
        page.goto("/dev/outbox")
        if mail.count():
            break
        page.wait_for_timeout(250)
    mail.get_by_role("link").click()


def pay(page: Any, card: str) -> None:
    """Fill in the card on the hosted checkout and send it."""
    page.get_by_test_id("checkout-card-number").fill(card)
    page.get_by_test_id("checkout-card-expiry").fill("12 / 30")
    page.get_by_test_id("checkout-card-cvc").fill("123")
    page.get_by_test_id("checkout-submit").click()


def status(site: Site, email: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(site.flask("billing", "status", email, "--json"))
    return facts


def test_a_stranger_becomes_a_customer_and_cancels(
    page: Any, site: Site, shot: Callable[[str], None]
) -> None:
    email = "grace@example.com"
    page.goto("/")
    shot("landing")
    page.get_by_role("link", name="Sign up").first.click()
    shot("sign-up")
    sign_up(page, email)
    page.wait_for_url("**/dashboard")
    shot("dashboard-free")

    page.goto("/dashboard/reports")
    page.wait_for_url("**/pricing")
    assert page.get_by_text("does not include reports").is_visible()
    shot("pricing-explains")

    page.get_by_test_id("choose-pro-monthly").click()
    page.wait_for_url(re.compile(re.escape(site.polar.url) + "/checkout/"))
    shot("checkout")
    page.get_by_test_id("checkout-name").fill("Grace Hopper")
    page.get_by_test_id("checkout-country").select_option("DE")
    pay(page, DECLINED_CARD)
    page.get_by_test_id("checkout-error").wait_for()
    assert page.get_by_test_id("checkout-name").input_value() == "Grace Hopper"
    shot("card-declined")
    assert status(site, email)["plan"] == "free"

    pay(page, GOOD_CARD)
    page.wait_for_url("**/checkout/confirmation**")
    page.locator('[data-state="succeeded"]').wait_for()
    shot("confirmation")
    facts = status(site, email)
    assert (facts["plan"], facts["status"]) == ("pro", "active")

    page.goto("/settings/billing")
    assert page.get_by_test_id("plan-name").inner_text() == "Pro Monthly"
    assert page.get_by_test_id("plan-status").inner_text().startswith("Active. Renews on")
    shot("billing-active")
    page.goto("/dashboard/reports")
    assert page.get_by_role("heading", level=1).is_visible()
    shot("gated-page")
    page.goto("/pricing")
    shot("pricing-current-plan")

    page.goto("/settings/billing")
    page.get_by_test_id("manage-subscription").click()
    page.get_by_test_id("portal-subscription").wait_for()
    shot("portal")
    page.get_by_test_id("portal-cancel").click()
    shot("portal-cancel")
    page.get_by_test_id("portal-cancel-confirm").click()
    page.get_by_test_id("portal-keep").wait_for()
    shot("portal-cancelled")
    page.get_by_test_id("portal-back").click()
    page.wait_for_url("**/settings/billing")
    words = page.get_by_test_id("plan-status").inner_text()
    assert re.fullmatch(r"Cancelled\. You keep your plan until \d+ \w+ 20\d\d\.", words)
    shot("billing-cancelled")
    assert status(site, email)["plan"] == "pro"

    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{site.url}/")


def test_a_visitor_keeps_the_choice_through_sign_up(page: Any, site: Site) -> None:
    page.goto("/pricing?interval=year")
    page.get_by_test_id("choose-pro-yearly").click()
    page.wait_for_url("**/signup?**")
    sign_up(page, "ida@example.com")
    page.wait_for_url(re.compile(re.escape(site.polar.url) + "/checkout/"))
    assert page.get_by_test_id("checkout-product").inner_text() == "Pro Yearly"


def test_webhooks_alone_bring_the_plan(page: Any, site: Site) -> None:
    """The customer closes the tab after paying and never comes back to the confirmation page."""
    email = "joan@example.com"
    page.goto("/pricing")
    page.get_by_test_id("choose-team-monthly").click()
    sign_up(page, email)
    page.wait_for_url(re.compile(re.escape(site.polar.url) + "/checkout/"))
    secret = page.url.rpartition("/")[2].partition("?")[0]
    page.close()
    assert site.polar.complete_checkout(secret).status_code == 200
    site.polar.wait_idle()
    facts = status(site, email)
    assert (facts["plan"], facts["status"]) == ("team", "trialing")
    assert {"reports", "api_access"} <= set(facts["features"])
