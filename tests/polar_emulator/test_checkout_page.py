"""The hosted checkout page."""

from typing import Any

import httpx
import pytest
from polar.v2026_10 import Polar

from polar_emulator.testing import LocalPolar
from tests.polar_emulator.buyers import Buyers, product_id
from tests.polar_emulator.pages import BUYER, CARD, find, has, parse, press, text


def open_for(polar: LocalPolar, buyers: Buyers, product: str = "Pro Monthly", **more: Any) -> Any:
    fields = {"success_url": f"{polar.url}/?checkout_id={{CHECKOUT_ID}}", **more}
    return buyers.open(product, **fields)


def test_pays(polar: LocalPolar, buyers: Buyers, browser: httpx.Client, sdk: Polar) -> None:
    checkout = open_for(polar, buyers, return_url="https://app.example.com/pricing")
    page = browser.get(checkout.url)
    assert page.status_code == 200
    assert text(page, "checkout-product") == "Pro Monthly"
    assert text(page, "checkout-price") == "$20.00 per month"
    assert text(page, "checkout-total") == "$20.00"
    assert text(page, "checkout-back") == "Back to app.example.com"
    assert find(page, "checkout-email")["value"] == "user_1@example.com"
    browser.follow_redirects = False
    answer = press(browser, page, "checkout-submit", **BUYER, **CARD)
    assert answer.status_code == 303
    assert answer.headers["location"] == checkout.success_url
    polar.wait_idle()
    assert sdk.checkouts.get(checkout.id).status == "succeeded"
    assert sdk.customers.get_external("user_1").email == BUYER["email"]
    assert has(browser.get(checkout.url), "checkout-completed")


def test_declined_and_once_more(
    polar: LocalPolar, buyers: Buyers, browser: httpx.Client, sdk: Polar
) -> None:
    checkout = open_for(polar, buyers)
    declined = {**CARD, "card_number": "4000-0000-0000-0002"}
    page = press(browser, browser.get(checkout.url), "checkout-submit", **BUYER, **declined)
    assert page.status_code == 402
    assert "declined" in text(page, "error-card-number")
    for name, value in {**BUYER, **declined}.items():
        if name != "country":
            assert find(page, f"checkout-{name.replace('_', '-')}")["value"] == value
    field = find(page, "checkout-card-number")
    assert field["aria-invalid"] == "true"
    described = [parse(page).find(id=part) for part in str(field["aria-describedby"]).split()]
    assert all(described)
    assert sdk.checkouts.get(checkout.id).status == "open"
    press(browser, page, "checkout-submit", **BUYER, **CARD)
    polar.wait_idle()
    assert sdk.checkouts.get(checkout.id).status == "succeeded"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("email", "nobody", "e-mail address"),
        ("name", " ", "Enter your name"),
        ("name", "x" * 300, "at most"),
        ("country", "XX", "Choose a country"),
        ("card_number", "1234", "not valid"),
        ("card_number", "4242 4242 4242 4241", "not valid"),
        ("card_number", "5555 5555 5555 4444", "4242 4242 4242 4242 pays"),
        ("card_number", "٤" * 16, "not valid"),
        ("card_expiry", "13 / 30", "month and year"),
        ("card_expiry", "01 / 20", "expired"),
        ("card_cvc", "12", "3 or 4 digits"),
        ("card_cvc", "<b>", "3 or 4 digits"),
    ],
)
def test_wrong_input(
    polar: LocalPolar, buyers: Buyers, browser: httpx.Client, field: str, value: str, words: str
) -> None:
    checkout = open_for(polar, buyers)
    typed = {**BUYER, **CARD, field: value}
    page = press(browser, browser.get(checkout.url), "checkout-submit", **typed)
    assert page.status_code == 422
    assert words in text(page, f"error-{field.replace('_', '-')}")
    assert has(page, "checkout-error")
    polar.wait_idle()
    assert polar.events() == ["checkout.created"]


def test_free_needs_no_card(
    polar: LocalPolar, buyers: Buyers, browser: httpx.Client, sdk: Polar
) -> None:
    checkout = open_for(polar, buyers, "Free")
    page = browser.get(checkout.url)
    assert not has(page, "checkout-card-number")
    press(browser, page, "checkout-submit", **BUYER)
    polar.wait_idle()
    assert buyers.subscription().status == "active"


def test_trial(polar: LocalPolar, buyers: Buyers, browser: httpx.Client) -> None:
    page = browser.get(open_for(polar, buyers, "Team Monthly").url)
    assert "14-day free trial" in text(page, "checkout-trial")
    assert text(page, "checkout-total") == "$0.00"
    press(browser, page, "checkout-submit", **BUYER, **CARD)
    polar.wait_idle()
    assert buyers.subscription().status == "trialing"


def test_several_subscriptions_where_the_organisation_takes_them(
    polar: LocalPolar, buyers: Buyers
) -> None:
    several = {"subscription_settings": {"allow_multiple_subscriptions": True}}
    organization = buyers.sdk.organizations.list().items[0].id
    buyers.buy("Free")
    assert buyers.pay(buyers.open("Pro Monthly")).status_code == 403
    headers = {"Authorization": "Bearer polar_oat_local"}
    url = f"{polar.url}/v1/organizations/{organization}"
    assert httpx.patch(url, json=several, headers=headers).status_code == 200
    buyers.buy("Pro Monthly")
    running = buyers.sdk.subscriptions.list(external_customer_id=["user_1"], active=True).items
    assert sorted(each.product.name for each in running) == ["Free", "Pro Monthly"]


def test_already_subscribed(polar: LocalPolar, buyers: Buyers, browser: httpx.Client) -> None:
    buyers.buy()
    page = browser.get(open_for(polar, buyers, "Team Monthly").url)
    page = press(browser, page, "checkout-submit", **BUYER, **CARD)
    assert page.status_code == 403
    assert "already have an active subscription" in text(page, "checkout-error")


def test_known_customer_cannot_change_the_email(
    polar: LocalPolar, buyers: Buyers, browser: httpx.Client, sdk: Polar
) -> None:
    sdk.customers.create(email="jane@example.com", external_id="user_1")
    checkout = open_for(polar, buyers, customer_email=None)
    page = browser.get(checkout.url)
    assert find(page, "checkout-email").has_attr("readonly")
    typed = {**BUYER, **CARD, "email": "eve@example.com"}
    press(browser, page, "checkout-submit", **typed)
    polar.wait_idle()
    assert sdk.customers.get_external("user_1").email == "jane@example.com"


def test_choosing_among_products(polar: LocalPolar, buyers: Buyers, browser: httpx.Client) -> None:
    keys = [product_id("Pro Monthly"), product_id("Pro Yearly")]
    checkout = open_for(polar, buyers, products=keys)
    page = press(browser, browser.get(checkout.url), "checkout-choose-2")
    assert text(page, "checkout-total") == "$200.00"


def test_pay_what_you_want(
    polar: LocalPolar, buyers: Buyers, browser: httpx.Client, sdk: Polar
) -> None:
    price = {"amount_type": "custom", "minimum_amount": 500, "price_currency": "usd"}
    product = sdk.products.create(name="Tip", prices=[price])
    checkout = open_for(polar, buyers, products=[product.id])
    page = browser.get(checkout.url)
    page = press(browser, page, "checkout-submit", **BUYER, **CARD, amount="4")
    assert "at least $5.00" in text(page, "error-amount")
    press(browser, page, "checkout-submit", **BUYER, **CARD, amount="7.50")
    polar.wait_idle()
    assert sdk.orders.list().items[0].total_amount == 750


def test_held_expired_and_unknown(
    polar: LocalPolar, buyers: Buyers, browser: httpx.Client, sdk: Polar
) -> None:
    polar.faults(hold_confirmed=True)
    held = buyers.open("Free")
    buyers.pay(held)
    assert sdk.checkouts.get(held.id).status == "confirmed"
    page = browser.get(held.url)
    assert has(page, "checkout-confirmed")
    assert parse(page).select_one('meta[http-equiv="refresh"]')
    polar.faults(hold_confirmed=False)
    polar.wait_idle()
    assert sdk.checkouts.get(held.id).status == "succeeded"
    late = buyers.open(user="late")
    polar.advance(25 * 3600)
    page = browser.get(late.url)
    assert (page.status_code, has(page, "checkout-expired")) == (410, True)
    page = browser.get("/checkout/polar_c_nothing")
    assert (page.status_code, has(page, "checkout-unknown")) == (404, True)
    assert browser.post("/checkout/polar_c_nothing").status_code == 404


def test_own_thank_you_page(polar: LocalPolar, buyers: Buyers, browser: httpx.Client) -> None:
    checkout = buyers.open("Free", success_url=None)
    assert checkout.success_url == f"{checkout.url}/confirmation"
    page = press(browser, browser.get(checkout.url), "checkout-submit", **BUYER)
    assert str(page.url) == checkout.success_url
    polar.wait_idle()
    assert has(browser.get(checkout.success_url), "checkout-thanks")


def test_headers_and_banner(polar: LocalPolar, buyers: Buyers, browser: httpx.Client) -> None:
    checkout = buyers.open(return_url="https://app.example.com/")
    for path in (checkout.url, "/", "/nothing", "/checkout/none", "/demo/portal"):
        page = browser.get(path)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "no money moves" in text(page, "test-mode-banner")
        assert not parse(page).select("script:not([src]), style, [style], [onclick]")
        assert parse(page).select_one("title, h1")
    # Browsers check where a form ends after a redirect.
    policy = browser.get(checkout.url).headers["content-security-policy"]
    assert "form-action 'self' https://app.example.com" in policy


def test_text_is_escaped(polar: LocalPolar, buyers: Buyers, browser: httpx.Client) -> None:
    checkout = open_for(polar, buyers, customer_name="<script>alert(1)</script>")
    page = browser.get(checkout.url)
    assert not parse(page).select("script")
    assert find(page, "checkout-name")["value"] == "<script>alert(1)</script>"


def test_the_bank_asks(buyers: Buyers, browser: httpx.Client, sdk: Polar) -> None:
    checkout = buyers.open(success_url=None)
    card = {**CARD, "card_number": "4000 0025 0000 3155"}
    typed = {"name": "Jane Doe", "country": "US", **card}
    page = press(browser, browser.get(checkout.url), "checkout-submit", **typed)
    assert has(page, "checkout-bank")
    refused = press(browser, page, "bank-refuse")
    assert refused.status_code == 402
    assert "did not confirm" in text(refused, "error-card-number")
    assert sdk.checkouts.get(checkout.id).status == "open"
    press(browser, page, "bank-confirm")
    buyers.polar.wait_idle()
    assert sdk.checkouts.get(checkout.id).status == "succeeded"


def test_discount_codes(buyers: Buyers, browser: httpx.Client, sdk: Polar) -> None:
    sdk.discounts.create(
        name="Quarter off", type="percentage", basis_points=2500, duration="once", code="QUARTER"
    )
    checkout = buyers.open()
    page = browser.get(checkout.url)
    wrong = press(browser, page, "checkout-discount-apply", discount_code="HALF")
    assert wrong.status_code == 422
    assert "HALF does not work" in text(wrong, "error-discount")
    assert press(browser, page, "checkout-discount-apply").status_code == 422
    page = press(browser, page, "checkout-discount-apply", discount_code="QUARTER")
    assert text(page, "checkout-discount") == "-$5.00"
    assert text(page, "checkout-total") == "$15.00"
    page = press(browser, page, "checkout-discount-remove")
    assert text(page, "checkout-total") == "$20.00"


@pytest.mark.parametrize(
    ("currency", "typed", "charged"),
    [("jpy", "500", 500), ("usd", "7,50", 750), ("kwd", "1.5", 1500), ("usd", "5", 500)],
)
def test_amount_of_ones_own_is_in_the_currency(
    polar: LocalPolar, sdk: Polar, browser: httpx.Client, currency: str, typed: str, charged: int
) -> None:
    checkout = own_price(polar, sdk, currency)
    page = browser.get(checkout.url)
    browser.follow_redirects = False
    assert press(browser, page, "checkout-submit", amount=typed, **BUYER, **CARD).status_code == 303
    polar.wait_idle()
    assert sdk.checkouts.get(checkout.id).total_amount == charged


@pytest.mark.parametrize("typed", ["", "100", "500.5", "1e9", "-500", "nan", "five", "9" * 40])
def test_amount_out_of_bounds_is_refused(
    polar: LocalPolar, sdk: Polar, browser: httpx.Client, typed: str
) -> None:
    page = browser.get(own_price(polar, sdk, "jpy").url)
    answer = press(browser, page, "checkout-submit", amount=typed, **BUYER, **CARD)
    assert answer.status_code == 422
    assert text(answer, "error-amount") == "Enter an amount of at least ¥500 and at most ¥90,000."


def own_price(polar: LocalPolar, sdk: Polar, currency: str) -> Any:
    price = {"amount_type": "custom", "price_currency": currency}
    bounds = {"minimum_amount": 500, "maximum_amount": 90_000, "preset_amount": 500}
    product = sdk.products.create(name="Tip", recurring_interval=None, prices=[price | bounds])
    return sdk.checkouts.create(products=[product.id], success_url=f"{polar.url}/")


def test_the_theme_of_the_address_stays(buyers: Buyers, browser: httpx.Client) -> None:
    checkout = buyers.open("Free", success_url=None)
    for theme, scheme in (("dark", "dark"), ("light", "light"), ("pink", "light dark")):
        page = parse(browser.get(checkout.url, params={"theme": theme}))
        assert page.select_one(f'meta[name=color-scheme][content="{scheme}"]')
        assert bool(page.select_one(f'html[data-theme="{theme}"]')) == (theme != "pink")
    page = browser.get(checkout.url, params={"theme": "dark"})
    page = press(browser, page, "checkout-submit", name="", country="US")
    assert parse(page).select_one('html[data-theme="dark"]')
    page = press(browser, page, "checkout-submit", name="Jane Doe", country="US")
    assert has(page, "checkout-confirmed") or has(page, "checkout-thanks")
    assert parse(page).select_one('html[data-theme="dark"]')
