"""Two tabs, an address changed at Polar, and Polar away at the worst moment: what people see then."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.journeys.conftest import Site
from tests.journeys.test_life import subscribe
from tests.journeys.test_subscribe import GOOD_CARD, PASSWORD, open_mail, pay, sign_up, status

pytestmark = pytest.mark.browser


def fill_in(tab: Any) -> None:
    tab.get_by_test_id("checkout-name").fill("Joan Clarke")
    tab.get_by_test_id("checkout-country").select_option("US")
    pay(tab, GOOD_CARD)


def test_two_tabs_with_two_plans(page: Any, site: Site, shot: Callable[[str], None]) -> None:
    email = "tabs@example.com"
    at_polar = re.compile(re.escape(site.polar.url) + "/checkout/")
    page.goto("/pricing")
    page.get_by_test_id("choose-team-monthly").click()
    sign_up(page, email)
    page.wait_for_url(at_polar)
    other = page.context.new_page()
    other.goto("/pricing")
    other.get_by_test_id("choose-pro-monthly").click()
    other.wait_for_url(at_polar)
    fill_in(other)
    other.locator('[data-state="succeeded"]').wait_for()
    fill_in(page)
    page.get_by_text("You already have an active subscription.").wait_for()
    shot("refused-at-polar")
    page.get_by_test_id("checkout-back").click()
    page.get_by_role("heading", name="Switch to Team Monthly").wait_for()
    shot("led-to-the-switch")
    site.polar.wait_idle()
    assert status(site, email)["plan"] == "pro"


def test_address_changed_at_polar(page: Any, site: Site, shot: Callable[[str], None]) -> None:
    subscribe(page, site, "rosa@example.com", "pro-monthly")
    headers = {"Authorization": f"Bearer {site.polar.token}"}
    url = f"{site.polar.url}/v1/customers/"
    [found] = httpx.get(url, params={"email": "rosa@example.com"}, headers=headers).json()["items"]
    body = {"email": "rosa@new.example.com"}
    httpx.patch(f"{url}{found['id']}", json=body, headers=headers).raise_for_status()
    site.polar.wait_idle()
    page.goto("/settings/billing")
    page.get_by_text("To sign in with it from now on, open the link that we sent there.").wait_for()
    shot("billing-settings")
    open_mail(page, "rosa@new.example.com")
    shot("mail")
    page.get_by_test_id("mail-text").get_by_role("link").first.click()
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Confirm this address").click()
    page.get_by_text("This is not your current password.").wait_for()
    shot("password-asked")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm this address").click()
    page.get_by_text("Your address is rosa@new.example.com now.").wait_for()
    page.goto("/settings/billing")
    assert page.get_by_test_id("address-elsewhere").count() == 0


def subscribe_for_free(page: Any, site: Site) -> None:
    """Open a checkout of the free product, as a front end does; our own pages do not offer it."""
    headers = {"Authorization": f"Bearer {site.polar.token}"}
    items = httpx.get(f"{site.polar.url}/v1/products/", headers=headers).json()["items"]
    [free] = [item["id"] for item in items if item["name"] == "Free"]
    page.goto("/settings/password")
    url = page.evaluate(
        """async (id) => {
            const token = document.querySelector("[name=csrf_token]").value
            const headers = {"Content-Type": "application/json", "X-CSRFToken": token}
            const body = JSON.stringify({product_id: id})
            const answer = await fetch("/api/billing/checkout", {method: "POST", headers, body})
            return (await answer.json()).url
        }""",
        free,
    )
    page.goto(url)


def test_two_tabs_with_two_upgrades_of_a_free_plan(
    page: Any, site: Site, shot: Callable[[str], None]
) -> None:
    email = "free@example.com"
    at_polar = re.compile(re.escape(site.polar.url) + "/checkout/")
    page.goto("/signup")
    sign_up(page, email)
    subscribe_for_free(page, site)
    page.wait_for_url(at_polar)
    page.get_by_test_id("checkout-name").fill("Joan Clarke")
    page.get_by_test_id("checkout-country").select_option("US")
    page.get_by_test_id("checkout-submit").click()
    page.locator('[data-state="succeeded"]').wait_for()
    other = page.context.new_page()
    other.goto("/pricing")
    other.get_by_role("button", name="Upgrade to Pro Monthly").click()
    other.wait_for_url(at_polar)
    other.close()
    page.goto("/pricing")
    page.get_by_role("button", name="Upgrade to Team Monthly").click()
    page.get_by_test_id("upgrade-open").wait_for()
    shot("upgrade-open")
    page.set_viewport_size({"width": 360, "height": 800})
    page.emulate_media(color_scheme="dark")
    shot("upgrade-open-dark-360")
    page.get_by_test_id("upgrade-exchange").click()
    page.wait_for_url(at_polar)
    shot("at-polar")
    fill_in(page)
    page.locator('[data-state="succeeded"]').wait_for()
    site.polar.wait_idle()
    assert status(site, email)["plan"] == "team"


def test_what_a_switch_leaves_for_the_next_invoice(
    page: Any, site: Site, shot: Callable[[str], None]
) -> None:
    subscribe(page, site, "later@example.com", "pro-monthly")
    page.goto("/pricing")
    page.get_by_test_id("switch-team-monthly").click()
    page.get_by_label("Switch now and pay the difference with the next invoice").check()
    page.get_by_test_id("switch-confirm").click()
    page.wait_for_url("**/settings/billing")
    page.get_by_test_id("waiting").get_by_text("is on your next invoice").wait_for()
    shot("billing-settings")
    page.goto("/settings/billing/cancellation")
    old = page.locator("h1").inner_text()
    shot("cancellation")
    assert "Cancel" in old
    page.goto("/pricing")
    page.get_by_test_id("switch-pro-monthly").click()
    page.get_by_test_id("waiting").wait_for()
    shot("switch-back")
