"""A customer's life in a browser: switch, schedule, keep, pause, fail, mend, cancel, leave."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.conftest import Site
from tests.journeys.test_subscribe import GOOD_CARD, PASSWORD, open_mail, pay, sign_up, status

pytestmark = pytest.mark.browser

MONTH = 31 * 24 * 3600
PAYS_ONCE_CARD = "4000000000000341"


def subscribe(page: Any, site: Site, email: str, plan: str, card: str = GOOD_CARD) -> None:
    """Sign up, choose a plan and pay."""
    page.goto("/pricing")
    page.get_by_test_id(f"choose-{plan}").click()
    sign_up(page, email)
    page.wait_for_url(re.compile(re.escape(site.polar.url) + "/checkout/"))
    page.get_by_test_id("checkout-name").fill("Grace Hopper")
    page.get_by_test_id("checkout-country").select_option("US")
    pay(page, card)
    page.wait_for_url("**/checkout/confirmation**")
    page.locator('[data-state="succeeded"]').wait_for()


def mail_subjects(page: Any, address: str, until: str) -> str:
    """What the outbox has for an address, once a mail is there that the worker has yet to send."""
    for _ in range(40):
        page.goto("/dev/outbox")
        mails = page.get_by_role("article").filter(has_text=address)
        words = "\n".join(mails.all_inner_texts())
        if until in words:
            break
        page.wait_for_timeout(250)
    return words


def test_switch_schedule_keep_and_cancel(
    page: Any, site: Site, shot: Callable[[str], None]
) -> None:
    email = "mary@example.com"
    subscribe(page, site, email, "pro-monthly")
    page.goto("/pricing")
    shot("pricing-of-a-customer")
    page.get_by_test_id("switch-team-monthly").click()
    page.get_by_role("heading", name="Switch to Team Monthly").wait_for()
    shot("switch")
    page.get_by_label("Switch now and pay the difference now").check()
    page.get_by_test_id("switch-confirm").click()
    page.wait_for_url("**/settings/billing")
    assert page.get_by_test_id("plan-name").inner_text() == "Team Monthly"
    site.polar.wait_idle()
    assert status(site, email)["plan"] == "team"

    page.goto("/pricing")
    page.get_by_test_id("switch-pro-monthly").click()
    shot("switch-down")
    page.get_by_test_id("switch-confirm").click()
    page.wait_for_url("**/settings/billing")
    assert "changes to Pro Monthly on" in page.get_by_test_id("scheduled").inner_text()
    shot("change-scheduled")
    page.goto("/pricing")
    shot("pricing-with-a-change-scheduled")
    page.get_by_test_id("keep-team-monthly").click()
    shot("keep")
    page.get_by_test_id("keep-confirm").click()
    page.wait_for_url("**/settings/billing")
    assert page.get_by_test_id("scheduled").count() == 0

    page.get_by_test_id("cancel-plan").click()
    page.get_by_label("Why are you leaving?").select_option("too_expensive")
    page.get_by_label("Is there anything else?").fill("Just for the winter.")
    shot("cancel")
    page.get_by_test_id("cancel-confirm").click()
    page.wait_for_url("**/settings/billing")
    assert page.get_by_test_id("plan-status").inner_text().startswith("Cancelled.")
    shot("cancelled")
    site.polar.wait_idle()
    words = mail_subjects(page, email, "is cancelled")
    assert words.count("Welcome to Pro Monthly") == 1
    assert words.count("is cancelled") == 1
    shot("outbox")


def test_pause_invoice_and_address(page: Any, site: Site, shot: Callable[[str], None]) -> None:
    subscribe(page, site, "hedy@example.com", "pro-monthly")
    page.goto("/settings/billing")
    shot("billing")
    page.get_by_test_id("invoice-1").click()
    page.locator('[data-state="ready"]').wait_for()
    shot("invoice")
    page.goto("/settings/billing")
    page.get_by_test_id("pause-plan").click()
    shot("pause")
    page.get_by_test_id("pause-confirm").click()
    page.wait_for_url("**/settings/billing")
    assert "Pauses on" in page.get_by_test_id("plan-status").inner_text()
    shot("pause-scheduled")
    page.goto("/settings/email")
    page.get_by_label("E-mail").fill("hedy@new.example.com")
    page.get_by_label("Password").fill(PASSWORD)
    shot("address")
    page.get_by_role("button", name="Send the link").click()
    open_mail(page, "hedy@new.example.com")
    page.get_by_test_id("mail-text").get_by_role("link").first.click()
    page.get_by_role("button", name="Confirm this address").click()
    page.get_by_text("Your address is hedy@new.example.com now.").wait_for()
    shot("address-changed")


def test_payment_fails_and_is_mended_then_the_account_goes(
    page: Any, site: Site, shot: Callable[[str], None]
) -> None:
    email = "rosalind@example.com"
    subscribe(page, site, email, "pro-monthly", PAYS_ONCE_CARD)
    site.polar.advance(MONTH)
    site.polar.wait_idle()
    page.goto("/dashboard")
    page.get_by_test_id("owed").wait_for()
    facts = status(site, email)
    assert (facts["plan"], facts["status"]) == ("free", "past_due")
    shot("owed-dashboard")
    page.goto("/pricing")
    shot("owed-pricing")
    page.goto("/settings/billing")
    shot("owed-billing")
    assert "failed" in mail_subjects(page, email, "failed")
    page.goto("/dashboard")
    page.get_by_test_id("owed-mend").click()
    page.get_by_test_id("portal-subscription").wait_for()
    shot("portal")
    site.polar.scenario("recover", email)
    page.goto("/dashboard")
    assert page.get_by_test_id("owed").count() == 0
    assert status(site, email)["plan"] == "pro"
    shot("mended")
    page.goto("/settings/account/delete")
    page.get_by_label("Password").fill(PASSWORD)
    shot("delete-account")
    page.get_by_test_id("delete-account").click()
    page.get_by_text("Your account is deleted.").wait_for()
    shot("deleted")
