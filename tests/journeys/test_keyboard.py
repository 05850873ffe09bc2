"""The pages of the local Polar by keyboard alone: Tab, Enter, Space, arrows among choices, and typing."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from polar_emulator.catalogue import stable_id
from polar_emulator.testing import LocalPolar

pytestmark = pytest.mark.browser

MOST_TABS = 120
# What has the focus: its test id, and whether one can see both it and that it has the focus.
FOCUSED = """() => {
  const found = document.activeElement, style = getComputedStyle(found);
  const box = found.getBoundingClientRect();
  return {
    testid: found.dataset.testid || "",
    html: found.outerHTML.slice(0, 120),
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    inView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""


class Keyboard:
    """Somebody without a mouse."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def tab_to(self, testid: str) -> None:
        """Press Tab until the element has the focus, which must be visible all the way."""
        for _ in range(MOST_TABS):
            if self.focused() == testid:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{testid} cannot be reached with Tab on {self.page.url}")

    def focused(self) -> str:
        """The test id of what has the focus."""
        found = self.page.evaluate(FOCUSED)
        if not found["html"].startswith("<body"):
            assert found["outlined"], f"no visible focus: {found['html']}"
            assert found["inView"], f"out of view: {found['html']}"
        return str(found["testid"])

    def press(self, testid: str, key: str = "Enter") -> None:
        """Go to a button or a link and press it; another page comes."""
        self.tab_to(testid)
        with self.page.expect_navigation():
            self.page.keyboard.press(key)

    def tick(self, testid: str) -> None:
        """Go to a box or a choice, and choose it."""
        self.tab_to(testid)
        self.page.keyboard.press("Space")

    def choose(self, first: str, wanted: str) -> None:
        """Go to a group of choices, which Tab enters at the first, and on to one of them."""
        self.tab_to(first)
        for _ in range(MOST_TABS):
            if self.focused() == wanted:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{wanted} cannot be reached from {first}")

    def waits_at(self, testid: str) -> None:
        """The page has put the focus there by itself: where something has to be mended."""
        where = f'[data-testid="{testid}"]:focus'
        self.page.locator(where).wait_for()

    def type(self, testid: str, text: str) -> None:
        """Go to a field and put a text into it, instead of what is there."""
        self.tab_to(testid)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def pay(self, card: str) -> None:
        """Fill in the card and send the form with Enter."""
        self.type("checkout-card-number", card)
        self.type("checkout-card-expiry", "12 / 34")
        self.type("checkout-card-cvc", "123")
        self.press("checkout-submit")

    def sees(self, testid: str) -> str:
        """The text of something on the page."""
        return str(self.page.get_by_test_id(testid).inner_text())


@pytest.fixture
def keyboard(browser: Any) -> Iterator[Keyboard]:
    context = browser.new_context(viewport={"width": 360, "height": 700})
    context.set_default_timeout(10_000)
    yield Keyboard(context.new_page())
    context.close()


def call(polar: LocalPolar, path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {polar.token}"}
    answer = httpx.post(f"{polar.url}/v1/{path}/", json=body, headers=headers)
    answer.raise_for_status()
    return dict(answer.json())


def checkout(polar: LocalPolar, *products: str, **more: Any) -> dict[str, Any]:
    keys = [stable_id("product", name) for name in products]
    return call(polar, "checkouts", {"products": keys, **more})


def buy(polar: LocalPolar) -> None:
    opened = checkout(polar, "Pro Monthly", external_customer_id="jane")
    polar.complete_checkout(opened["client_secret"], email="jane@example.com")
    polar.wait_idle()


def test_checkout(polar_emulator: LocalPolar, keyboard: Keyboard) -> None:
    polar, page = polar_emulator, keyboard.page
    launch = {"type": "percentage", "basis_points": 2000, "duration": "once", "name": "Launch"}
    call(polar, "discounts", {**launch, "code": "LAUNCH20"})
    page.goto(checkout(polar, "Pro Monthly", "Team Monthly")["url"])
    keyboard.press("checkout-choose-2", "Space")
    assert keyboard.sees("checkout-product") == "Team Monthly"
    assert page.get_by_test_id("checkout-trial").is_visible()
    keyboard.press("checkout-choose-1")
    keyboard.type("checkout-discount-code", "NONE")
    keyboard.press("checkout-discount-apply")
    keyboard.waits_at("checkout-discount-code")
    keyboard.type("checkout-discount-code", "LAUNCH20")
    keyboard.press("checkout-discount-apply")
    assert keyboard.sees("checkout-total") == "$16.00"
    keyboard.press("checkout-submit")
    keyboard.waits_at("checkout-email")
    assert page.title().startswith("Please check: ")
    keyboard.type("checkout-email", "jane@example.com")
    keyboard.type("checkout-name", "Jane Doe")
    keyboard.pay("4000000000000002")
    keyboard.waits_at("checkout-card-number")
    assert "declined" in keyboard.sees("error-card-number")
    keyboard.pay("4000002500003155")
    keyboard.press("bank-refuse")
    keyboard.waits_at("checkout-card-number")
    keyboard.pay("4000002500003155")
    keyboard.press("bank-confirm", "Space")
    polar.wait_idle()
    page.get_by_test_id("checkout-thanks").wait_for()


def test_checkouts_without_a_card(polar_emulator: LocalPolar, keyboard: Keyboard) -> None:
    polar, page = polar_emulator, keyboard.page
    page.goto(checkout(polar, "Free", external_customer_id="free")["url"])
    keyboard.type("checkout-email", "free@example.com")
    keyboard.type("checkout-name", "Free Doe")
    keyboard.press("checkout-submit")
    polar.wait_idle()
    page.get_by_test_id("checkout-thanks").wait_for()
    buy(polar)
    page.goto(checkout(polar, "Pro Monthly", external_customer_id="jane")["url"])
    keyboard.pay("4242424242424242")
    assert "already have an active subscription" in keyboard.sees("checkout-error")
    back = checkout(polar, "Pro Monthly", return_url=f"{polar.url}/deliveries")
    polar.scenario("expire-checkout", back["id"])
    page.goto(back["url"])
    assert page.get_by_test_id("checkout-expired").is_visible()
    keyboard.press("checkout-back")
    assert page.url == f"{polar.url}/deliveries"


def test_portal(polar_emulator: LocalPolar, keyboard: Keyboard) -> None:
    polar, page = polar_emulator, keyboard.page
    buy(polar)
    session = call(polar, "customer-sessions", {"external_customer_id": "jane"})
    page.goto(session["customer_portal_url"])
    keyboard.press("portal-change")
    keyboard.press("portal-plan-confirm")
    assert keyboard.sees("portal-error") == "Choose one of the plans."
    keyboard.choose("portal-plan-1", "portal-plan-2")
    keyboard.press("portal-plan-confirm")
    assert keyboard.sees("portal-plan") == "Pro Yearly"
    keyboard.press("portal-cancel")
    keyboard.choose("portal-reason-too-expensive", "portal-reason-unused")
    keyboard.type("portal-comment", "Later, perhaps.")
    keyboard.press("portal-cancel-confirm")
    assert keyboard.sees("portal-status") == "Canceled, still active"
    keyboard.press("portal-keep")
    keyboard.press("portal-pause-schedule", "Space")
    assert "Pauses on" in keyboard.sees("portal-status-text")
    keyboard.press("portal-pause-keep")
    keyboard.press("portal-details")
    keyboard.type("portal-card-number", "1")
    keyboard.press("portal-card-save")
    keyboard.waits_at("portal-card-number")
    keyboard.type("portal-card-number", "4242424242424242")
    keyboard.press("portal-card-save")
    keyboard.press("portal-details")
    keyboard.type("portal-email", "jane.doe@example.com")
    keyboard.press("portal-email-save")
    assert "jane.doe@example.com" in keyboard.sees("portal-email")
    keyboard.tab_to("portal-invoice")
    with page.expect_response(lambda answer: answer.url.endswith(".pdf")) as invoice:
        page.keyboard.press("Enter")
    assert invoice.value.headers["content-type"] == "application/pdf"


def test_control_page(polar_emulator: LocalPolar, keyboard: Keyboard) -> None:
    polar, page = polar_emulator, keyboard.page
    buy(polar)
    page.goto(polar.url)
    keyboard.tab_to("control-happenings")
    page.keyboard.press("Enter")
    keyboard.press("scenario-fail-next-renewal")
    assert keyboard.sees("control-done") == "Done: fail the next renewal."
    keyboard.press("control-clock-month", "Space")
    assert "Past due" in keyboard.sees("control-customers")
    keyboard.tick("fault-duplicate-webhooks")
    keyboard.press("fault-set")
    assert polar.control("GET", "/faults")["duplicate_webhooks"]
    keyboard.press("fault-off")
    keyboard.tick("control-follow")
    assert not page.get_by_test_id("control-follow").is_checked()
    keyboard.press("send-unknown-type")
    keyboard.press("control-deliveries")
    keyboard.press("deliveries-back")
    keyboard.press("control-reset")
    assert "Nobody yet" in keyboard.sees("control-customers")
