"""The pricing page: every kind of product and price, from the copy alone."""

from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient

from tests.billing.catalogue_data import product, put
from tests.browsing import soup


def page(client: FlaskClient, url: str = "/pricing") -> BeautifulSoup:
    response = client.get(url)
    assert response.status_code == 200
    return BeautifulSoup(response.text, "html.parser")


def names(soup: BeautifulSoup) -> list[str]:
    return [tag.get_text(strip=True) for tag in soup.select(".price-name")]


def card(soup: BeautifulSoup, slug: str) -> Tag:
    found = soup.select_one(f'[data-testid="plan-{slug}"]')
    assert found is not None
    return found


def words(tag: Tag, selector: str) -> str:
    found = tag.select_one(selector)
    return " ".join(found.get_text(" ", strip=True).split()) if found else ""


def test_order_comes_from_metadata_then_price(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        put(
            product("Dear", 9000),
            product("Cheap", 100),
            product("Second", metadata={"order": "2"}),
            product("First", metadata={"order": 1}),
        )
    assert names(page(client)) == ["First", "Second", "Cheap", "Dear"]


def test_archived_and_private_products_are_hidden(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        put(
            product("Shown"),
            product("Archived", is_archived=True),
            product("Private", visibility="private"),
        )
    assert names(page(client)) == ["Shown"]


PRICES: dict[str, tuple[Any, str]] = {
    "dollars": ({"amount_type": "fixed", "price_amount": 1999}, "$19.99 per month"),
    "yen": (
        {"amount_type": "fixed", "price_amount": 500, "price_currency": "jpy"},
        "¥500 per month",
    ),
    "dinar": (
        {"amount_type": "fixed", "price_amount": 1500, "price_currency": "kwd"},
        "KWD 1.500 per month",
    ),
    "free": ({"amount_type": "fixed", "price_amount": 0}, "Free"),
    "free by type": ({"amount_type": "free"}, "Free"),
    "pay what you want": (
        {"amount_type": "custom", "minimum_amount": None},
        "Pay what you want per month",
    ),
    "from": ({"amount_type": "custom", "minimum_amount": 500}, "From $5 per month"),
    "metered": ({"amount_type": "metered_unit", "unit_amount": "0.5"}, "Pay as you go per month"),
    "seats": (
        {"amount_type": "seat_based", "seat_tiers": {"tiers": [{"price_per_seat": 700}]}},
        "$7 per seat per month",
    ),
    "a kind of tomorrow": ({"amount_type": "barter"}, "See checkout per month"),
}


@pytest.mark.parametrize(("price", "expected"), PRICES.values(), ids=PRICES.keys())
def test_price_in_words(
    app: Flask, client: FlaskClient, price: dict[str, Any], expected: str
) -> None:
    with app.app_context():
        put(product("Plan", price))
    assert words(card(page(client), "plan"), ".price").replace("\xa0", " ") == expected


def test_trial_benefits_description_and_highlight(app: Flask, client: FlaskClient) -> None:
    benefit = {
        "id": "b-1",
        "created_at": "2026-11-01T00:00:00Z",
        "type": "custom",
        "description": "Hugs",
    }
    with app.app_context():
        put(
            product(
                "Team",
                trial_interval="day",
                trial_interval_count=14,
                benefits=[benefit],
                metadata={"highlight": "true"},
            ),
            product("Plain"),
        )
    soup = page(client)
    team = card(soup, "team")
    assert words(team, ".price-trial") == "14 days free, then $20 per month"
    assert "Hugs" in team.get_text()
    assert "Team for people." in team.get_text()
    assert "is-highlighted" in team["class"]
    assert "is-highlighted" not in card(soup, "plain")["class"]


def test_month_and_year_switch(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        put(
            product("Pro Monthly", 2000, metadata={"plan": "pro"}),
            product("Pro Yearly", 20000, "year", metadata={"plan": "pro"}),
            product("Team Monthly", 5000, metadata={"plan": "team"}),
            product("Lifetime", 39900, None, metadata={"plan": "lifetime"}),
        )
    monthly, yearly = page(client), page(client, "/pricing?interval=year")
    assert names(monthly) == ["Pro Monthly", "Team Monthly", "Lifetime"]
    assert names(yearly) == ["Team Monthly", "Pro Yearly", "Lifetime"]
    current = yearly.select_one('[aria-current="true"]')
    assert current is not None
    assert current.get_text(strip=True) == "Yearly"
    assert words(card(yearly, "lifetime"), ".price") == "$399 once"


@pytest.mark.parametrize("interval", ["", "week", "year", "' OR 1=1"])
def test_without_a_choice_there_is_no_switch(
    app: Flask, client: FlaskClient, interval: str
) -> None:
    with app.app_context():
        put(product("Pro Monthly"))
    soup = page(client, f"/pricing?interval={interval}")
    assert names(soup) == ["Pro Monthly"]
    assert soup.select_one(".switch") is None


def test_empty_catalogue_says_what_to_do(client: FlaskClient) -> None:
    assert "flask billing sync" in page(client).get_text()


def test_names_of_products_are_text_not_markup(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        put(product("<script>alert(1)</script>", description="<b>x</b>"))
    text = client.get("/pricing").text
    assert "<script>" not in text
    assert "<b>x" not in text


def test_page_makes_no_call_to_polar(app: Flask, client: FlaskClient) -> None:
    """The test application's Polar does not answer; the page stands all the same."""
    with app.app_context():
        put(product("Pro"))
    assert names(page(client)) == ["Pro"]


def test_switch_works_for_products_that_name_no_plan(app: Flask, client: FlaskClient) -> None:
    yearly = product("Solo", 9000, "year", id="7e57a000-0000-4000-8000-000000000001")
    with app.app_context():
        put(product("Solo", 900), yearly)
    assert [words(card(page(client), "solo"), ".price")] == ["$9 per month"]
    assert names(page(client)) == ["Solo"]
    assert words(card(page(client, "/pricing?interval=year"), "solo"), ".price") == "$90 per year"


def test_only_one_plan_is_highlighted(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        put(*(product(name, metadata={"highlight": True, "order": name}) for name in ("1", "2")))
    assert len(page(client).select(".is-highlighted")) == 1


def test_description_is_markdown_as_polar_shows_it(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        put(product("Pro", description="For **people**:\n\n- reports\n- <b>charts</b>"))
    card = soup(client.get("/pricing")).select_one('[data-testid="plan-pro"] .price-text')
    assert card is not None
    assert [tag.get_text() for tag in card.select("strong, li")] == [
        "people",
        "reports",
        "<b>charts</b>",
    ]
