"""Somebody who works here helps a customer: password, search, a plan given away, and the log of it."""

from collections.abc import Callable
from typing import Any

import pytest

from saas.seeds import DEMO_EMAIL, DEMO_PASSWORD
from tests.journeys.conftest import Site, axe_of
from tests.journeys.test_subscribe import sign_up

pytestmark = pytest.mark.browser

PAGES = [f"/staff{page}" for page in ("", "/users", "/deliveries?outcome=applied", "/jobs", "/log")]


def test_staff_give_a_plan(page: Any, site: Site, shot: Callable[[str], None]) -> None:
    email = "katherine@example.com"
    customer = page.context.browser.new_context(base_url=site.url).new_page()
    customer.goto("/signup")
    sign_up(customer, email)
    customer.wait_for_url("**/dashboard")
    assert customer.goto("/staff").status == 404

    site.flask("users", "staff", DEMO_EMAIL)
    page.goto("/login")
    page.get_by_label("E-mail").fill(DEMO_EMAIL)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_label("Remember me").check()
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")
    page.context.clear_cookies(name="session")  # The browser was closed meanwhile.
    page.get_by_role("link", name="Staff pages").click()
    page.get_by_role("heading", name="Your password, please").wait_for()
    shot("password")
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/staff")
    shot("overview")

    page.get_by_role("link", name="Users").click()
    page.get_by_role("searchbox").fill("kather")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=email).click()
    assert "Polar does not know this user" in page.get_by_test_id("agreement").inner_text()
    shot("user")
    page.get_by_test_id("give").click()
    page.get_by_label("Plan").select_option(label="Team Monthly")
    page.get_by_label("Reason").fill("Thanks for the bug report.")
    shot("give")
    page.get_by_test_id("give-confirm").click()
    page.get_by_text("Team Monthly is given until").wait_for()
    shot("given")

    customer.goto("/settings/billing")
    assert customer.get_by_test_id("plan-name").inner_text() == "Team Monthly"
    assert "We have given you Team Monthly until" in customer.get_by_test_id("gift").inner_text()
    assert customer.goto("/dashboard/reports").status == 200

    page.get_by_role("link", name="Audit log").click()
    words = page.get_by_test_id("log").inner_text()
    assert f"{DEMO_EMAIL} gave a plan {email}" in words
    assert "“Thanks for the bug report.”" in words
    shot("log")
    page.get_by_role("link", name="Deliveries").click()
    shot("deliveries")
    page.get_by_role("link", name="Jobs").click()
    shot("jobs")
    customer.context.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_nobody_is_shut_out_of_a_staff_page(
    browser: Any, site: Site, scheme: str, width: int
) -> None:
    site.flask("users", "staff", DEMO_EMAIL)
    context = browser.new_context(
        viewport={"width": width, "height": 800}, base_url=site.url, color_scheme=scheme
    )
    page = context.new_page()
    page.goto("/login?next=/staff/users")
    page.get_by_label("E-mail").fill(DEMO_EMAIL)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=DEMO_EMAIL).click()
    user = page.url.removeprefix(site.url)
    troubles = []
    for path in (user, f"{user}/comp", *PAGES):
        page.goto(path)
        found = axe_of(page)
        if found.violations_count:
            troubles.append(f"{path}\n{found.generate_report()}")
        if page.evaluate("document.documentElement.scrollWidth - window.innerWidth") > 0:
            troubles.append(f"{path} is too wide")
    context.close()
    assert troubles == []
