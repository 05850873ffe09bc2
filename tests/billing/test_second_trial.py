"""A trial is for the first time: who had one is offered, and sent to, a plan that begins with a payment."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from tests.billing.buying import buy, choose, fill_catalogue, pay
from tests.billing.test_two_tabs import ask_api, checkouts
from tests.browsing import PASSWORD, sign_in, soup, submit

Shop = tuple[FlaskClient, dict[str, str]]
DAY = 24 * 3600


@pytest.fixture
def shop(polar_app: Flask) -> Shop:
    ids = fill_catalogue(polar_app)
    return sign_in(polar_app)[0], ids


@pytest.fixture
def returning(polar: LocalPolar, shop: Shop) -> Shop:
    """Somebody whose trial was cancelled and is over."""
    client, ids = shop
    let_a_trial_end(client, polar, ids["Team Monthly"])
    return client, ids


def let_a_trial_end(client: FlaskClient, polar: LocalPolar, product_id: str) -> None:
    buy(client, polar, product_id)
    submit(client, "/settings/billing/cancellation")
    polar.advance(15 * DAY)
    polar.wait_idle()
    client.get("/settings/billing/returned")  # Reads what the webhooks would have told.


def button(page: Any) -> str:
    found = soup(page).select_one('[data-testid="choose-team-monthly"]')
    assert found is not None
    return str(found.get_text(strip=True))


def open_checkout(polar: LocalPolar) -> dict[str, Any]:
    [found] = [each for each in checkouts(polar) if each["status"] == "open"]
    return found


def test_first_trial_is_offered_and_given(polar: LocalPolar, shop: Shop) -> None:
    client, ids = shop
    assert button(client.get("/pricing")) == "Start free trial"
    choose(client, ids["Team Monthly"])
    assert open_checkout(polar)["active_trial_interval"] == "day"


def test_second_trial_is_neither_offered_nor_asked_for(polar: LocalPolar, returning: Shop) -> None:
    client, ids = returning
    page = client.get("/pricing")
    assert button(page) == "Choose Team Monthly"
    assert "14 days free" not in page.text
    choose(client, ids["Team Monthly"])
    assert open_checkout(polar)["active_trial_interval"] is None


def test_second_time_can_be_paid_where_polar_refuses_second_trials(
    polar: LocalPolar, returning: Shop
) -> None:
    client, ids = returning
    headers = {"Authorization": f"Bearer {polar.token}"}
    url = f"{polar.url}/v1/organizations/"
    [organization] = httpx.get(url, headers=headers).json()["items"]
    settings = {"subscription_settings": {"prevent_trial_abuse": True}}
    httpx.patch(url + organization["id"], json=settings, headers=headers).raise_for_status()
    page = client.get(pay(polar, choose(client, ids["Team Monthly"]).location))
    assert "all set" in page.text
    assert "Active. Renews on" in client.get("/settings/billing").text


def test_front_end_gets_no_second_trial(polar: LocalPolar, returning: Shop) -> None:
    client, ids = returning
    assert ask_api(client, ids["Team Monthly"]).status_code == 201
    assert open_checkout(polar)["allow_trial"] is False


def test_checkout_with_a_trial_is_not_gone_on_with(polar: LocalPolar, shop: Shop) -> None:
    """One that was opened before another trial began would offer a second one."""
    client, ids = shop
    before = choose(client, ids["Team Monthly"]).location
    headers = {"Authorization": f"Bearer {polar.token}"}
    [found] = checkouts(polar)
    url = f"{polar.url}/v1/checkouts/{found['id']}"
    httpx.patch(url, json={"allow_trial": False}, headers=headers).raise_for_status()
    assert choose(client, ids["Team Monthly"]).location != before


@pytest.mark.parametrize("held", ["a trial before", "the free plan"])
def test_visitor_who_was_shown_a_trial_reads_that_there_is_none(
    polar_app: Flask, polar: LocalPolar, shop: Shop, held: str
) -> None:
    """Signing in shows who it is; a checkout that charges at once needs another click then."""
    client, ids = shop
    if held == "a trial before":
        let_a_trial_end(client, polar, ids["Team Monthly"])
    else:
        buy(client, polar, ids["Free"])
    visitor = polar_app.test_client()
    assert "14 days free" in visitor.get("/pricing").text
    link = soup(visitor.get("/pricing")).select_one('[data-testid="choose-team-monthly"]')
    assert link is not None
    query = urlsplit(str(link["href"])).query
    fields = {"email": "ada@example.com", "password": PASSWORD, "next": parse_qs(query)["next"][0]}
    page = visitor.get(submit(visitor, f"/login?{query}", **fields).location)
    assert page.status_code == 200
    assert "The free trial is for a first subscription" in page.text
    assert "14 days free" not in page.text
    chosen = choose(visitor, ids["Team Monthly"]).location
    assert chosen.startswith(f"{polar.url}/checkout/")
    assert open_checkout(polar)["active_trial_interval"] is None
