"""The upgrade of a free subscription: two tabs with two plans are never both paid."""

from typing import Any

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from polar_emulator.testing import LocalPolar
from saas.billing import gateway
from saas.billing.models import Order
from saas.extensions import db
from tests.billing.buying import buy, choose, fill_catalogue, pay
from tests.billing.test_two_tabs import ask_api, checkouts
from tests.browsing import csrf_token, sign_in, soup, submit

Shop = tuple[FlaskClient, dict[str, str]]


@pytest.fixture
def shop(polar_app: Flask, polar: LocalPolar) -> Shop:
    """Somebody on the free plan, by a subscription at Polar."""
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Free"])
    return client, ids


def words(response: TestResponse) -> str:
    return " ".join(soup(response).get_text(" ").split())


def exchange(client: FlaskClient, product_id: str) -> TestResponse:
    """Press the button of the page that says that another upgrade is open."""
    return submit(client, "/checkout", form_at="/login", product_id=product_id, exchange="1")


def open_upgrades(polar: LocalPolar) -> list[str]:
    """The products of the checkouts that could be paid."""
    return [found["product_id"] for found in checkouts(polar) if found["status"] == "open"]


def new_price(polar: LocalPolar, product_id: str, amount: int) -> None:
    price = {"amount_type": "fixed", "price_amount": amount, "price_currency": "usd"}
    headers = {"Authorization": f"Bearer {polar.token}"}
    url = f"{polar.url}/v1/products/{product_id}"
    httpx.patch(url, json={"prices": [price]}, headers=headers).raise_for_status()


def charged(app: Flask, client: FlaskClient) -> list[int]:
    client.get("/settings/billing/returned")
    with app.app_context():
        update = Order.billing_reason == "subscription_update"
        return list(db.session.scalars(db.select(Order.total_amount).where(update)))


def test_second_plan_asks_instead_of_opening_a_second_checkout(
    polar_app: Flask, polar: LocalPolar, shop: Shop
) -> None:
    client, ids = shop
    pro = choose(client, ids["Pro Monthly"]).location
    page = choose(client, ids["Team Monthly"])
    assert page.status_code == 409
    assert "You began to upgrade to Pro Monthly." in words(page)
    assert "close that tab before you exchange it" in words(page)
    link = soup(page).select_one('[data-testid="upgrade-go-on"]')
    assert link is not None
    assert link["href"] == pro
    assert open_upgrades(polar) == [ids["Pro Monthly"]]
    client.get(pay(polar, pro))
    assert choose(client, ids["Team Monthly"]).location.startswith("/settings/billing/plan")
    assert charged(polar_app, client) == [2000]


def test_exchanged_upgrade_is_one_checkout(polar_app: Flask, polar: LocalPolar, shop: Shop) -> None:
    client, ids = shop
    pro = choose(client, ids["Pro Monthly"]).location
    page = choose(client, ids["Team Monthly"])
    form = soup(page).select_one("form:has([data-testid=upgrade-exchange])")
    assert form is not None
    fields = {str(each["name"]): str(each["value"]) for each in form.select("input")}
    team = client.post(str(form["action"]), data=fields).location
    assert team == pro
    [found] = [each for each in checkouts(polar) if each["status"] == "open"]
    assert found["product_id"] == ids["Team Monthly"]
    assert found["return_url"].endswith(f"/checkout/returned?product_id={ids['Team Monthly']}")
    assert "all set" in client.get(pay(polar, team)).text
    assert "already completed" in httpx.get(pro).text
    assert charged(polar_app, client) == [5000]


def test_same_plan_goes_on_without_a_question(polar: LocalPolar, shop: Shop) -> None:
    client, ids = shop
    first = choose(client, ids["Pro Monthly"]).location
    assert choose(client, ids["Pro Monthly"]).location == first
    polar.advance(23.5 * 3600)
    polar.wait_idle()
    assert choose(client, ids["Pro Monthly"]).location == first  # It can still be paid.
    polar.advance(3600)
    polar.wait_idle()
    assert choose(client, ids["Team Monthly"]).location.startswith(polar.url)


def test_price_that_changed_makes_a_new_checkout(
    polar_app: Flask, polar: LocalPolar, shop: Shop
) -> None:
    """The old one cannot be paid any more, so it is not in the way."""
    client, ids = shop
    old = choose(client, ids["Pro Monthly"]).location
    new_price(polar, ids["Pro Monthly"], 2500)
    fill_catalogue(polar_app)
    new = choose(client, ids["Pro Monthly"]).location
    assert new != old
    secret = old.rpartition("/")[2]
    assert "Price is archived." in polar.complete_checkout(secret).text
    client.get(pay(polar, new))
    assert charged(polar_app, client) == [2500]


def test_plan_that_came_later_waits(polar_app: Flask, polar: LocalPolar, shop: Shop) -> None:
    client, ids = shop
    choose(client, ids["Pro Monthly"])
    headers = {"Authorization": f"Bearer {polar.token}"}
    price = {"amount_type": "fixed", "price_amount": 9900, "price_currency": "usd"}
    body = {"name": "Agency", "recurring_interval": "month", "prices": [price]}
    made = httpx.post(f"{polar.url}/v1/products/", json=body, headers=headers).json()
    fill_catalogue(polar_app)
    for page in (choose(client, made["id"]), exchange(client, made["id"])):
        assert page.status_code == 409
        assert "It cannot be exchanged for Agency." in words(page)
        assert soup(page).select_one('[data-testid="upgrade-exchange"]') is None
    assert open_upgrades(polar) == [ids["Pro Monthly"]]


def test_upgrade_without_a_plan_that_is_gone_at_polar(
    polar_app: Flask, polar: LocalPolar, shop: Shop
) -> None:
    """What it could be exchanged for must not be in the way of what was chosen."""
    client, ids = shop
    headers = {"Authorization": f"Bearer {polar.token}"}
    url = f"{polar.url}/v1/products/{ids['Team Monthly']}"
    polar.faults(drop_webhooks=True)
    httpx.patch(url, json={"is_archived": True}, headers=headers).raise_for_status()
    assert choose(client, ids["Pro Monthly"]).location.startswith(polar.url)
    assert exchange(client, ids["Team Monthly"]).status_code == 409


def test_upgrade_that_is_paid_in_the_moment_of_the_exchange(
    polar: LocalPolar, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, ids = shop
    pro = choose(client, ids["Pro Monthly"]).location
    [found] = [each for each in checkouts(polar) if each["status"] == "open"]
    real = gateway.update_checkout

    def paid_before(*args: Any, **changes: Any) -> gateway.Answer:
        pay(polar, pro)
        return real(*args, **changes)

    monkeypatch.setattr(gateway, "update_checkout", paid_before)
    landed = exchange(client, ids["Team Monthly"])
    assert landed.location == f"/checkout/confirmation?checkout_id={found['id']}"


def test_front_end_is_asked_as_well(polar: LocalPolar, shop: Shop) -> None:
    client, ids = shop
    pro = ask_api(client, ids["Pro Monthly"]).json["url"]
    answer = ask_api(client, ids["Team Monthly"])
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "upgrade_open")
    assert "Your upgrade to Pro Monthly is still open" in answer.json["error"]["message"]
    body = {"product_id": ids["Team Monthly"], "exchange": True}
    headers = {"X-CSRFToken": csrf_token(client, "/settings/billing")}
    taken = client.post("/api/billing/checkout", json=body, headers=headers)
    assert (taken.status_code, taken.json["url"]) == (201, pro)
    assert open_upgrades(polar) == [ids["Team Monthly"]]
