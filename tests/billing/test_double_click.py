"""Two clicks at the same moment, on two workers, lead to one checkout."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import gateway, orphans, turns
from saas.billing.gateway import Answer
from saas.billing.models import Order
from saas.billing.turns import CheckoutTurn
from saas.extensions import db
from saas.kit.datetimes import utcnow
from tests.billing.buying import buy, choose, fill_catalogue
from tests.billing.test_two_tabs import ask_api, checkouts
from tests.browsing import PASSWORD, csrf_token, sign_in, soup, submit

Shop = tuple[FlaskClient, dict[str, str]]
CLICKS = 3


@pytest.fixture
def shop(polar_app: Flask) -> Shop:
    ids = fill_catalogue(polar_app)
    return sign_in(polar_app)[0], ids


def sign_in_again(app: Flask) -> FlaskClient:
    client = app.test_client()
    submit(client, "/login", email="ada@example.com", password=PASSWORD)
    return client


def at_once(*calls: Callable[[], str]) -> list[str]:
    """Make these calls at the same moment and return what came of each."""
    barrier = Barrier(len(calls))

    def wait_and_call(call: Callable[[], str]) -> str:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(wait_and_call, calls))


def hold_turn(app: Flask, since: timedelta) -> None:
    with app.app_context():
        user_id = db.session.scalars(db.select(User.id)).one()
        moment = utcnow() - since
        db.session.add(CheckoutTurn(user_id=user_id, holder="somebody", taken_at=moment))
        db.session.commit()


def test_clicks_at_once_make_one_checkout(polar_app: Flask, polar: LocalPolar, shop: Shop) -> None:
    _, ids = shop
    clients = [sign_in_again(polar_app) for _ in range(CLICKS)]
    tokens = [csrf_token(client, "/settings/billing") for client in clients]

    def click(client: FlaskClient, token: str) -> Callable[[], str]:
        fields = {"csrf_token": token, "product_id": ids["Pro Monthly"]}
        return lambda: client.post("/checkout", data=fields).location

    places = at_once(*map(click, clients, tokens))
    assert len(checkouts(polar)) == 1
    assert set(places) == {choose(clients[0], ids["Pro Monthly"]).location}
    with polar_app.app_context():
        assert db.session.scalars(db.select(CheckoutTurn)).all() == []


def test_turn_of_a_process_that_died_is_taken_over(
    polar_app: Flask, polar: LocalPolar, shop: Shop
) -> None:
    client, ids = shop
    hold_turn(polar_app, turns.LONGEST)
    assert choose(client, ids["Pro Monthly"]).location.startswith(polar.url)


def test_who_waits_too_long_is_asked_to_look_again(
    polar_app: Flask, polar: LocalPolar, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.3)
    client, ids = shop
    hold_turn(polar_app, timedelta())
    page = choose(client, ids["Pro Monthly"])
    assert (page.status_code, checkouts(polar)) == (409, [])
    assert "still being worked on" in page.text
    answer = ask_api(client, ids["Pro Monthly"])
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "checkout_in_preparation")


def test_turn_is_given_back_when_polar_does_not_answer(
    polar_app: Flask, polar: LocalPolar, shop: Shop
) -> None:
    client, ids = shop
    polar.faults(api="500")
    assert choose(client, ids["Pro Monthly"]).status_code == 503
    with polar_app.app_context():
        assert db.session.scalars(db.select(CheckoutTurn)).all() == []


def test_clicks_at_once_switch_once(polar_app: Flask, polar: LocalPolar, shop: Shop) -> None:
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    url = f"/settings/billing/plan?product_id={ids['Team Monthly']}"
    clients = [sign_in_again(polar_app) for _ in range(CLICKS)]
    hidden = "main form input[type=hidden]"
    forms = [
        {str(field["name"]): str(field["value"]) for field in soup(each.get(url)).select(hidden)}
        for each in clients
    ]

    def click(each: FlaskClient, form: dict[str, str]) -> Callable[[], str]:
        return lambda: each.post(url, data=form | {"behavior": "invoice"}).location

    places = at_once(*map(click, clients, forms))
    assert set(places) == {"/settings/billing"}
    polar.wait_idle()
    assert sum(call["method"] == "PATCH" for call in polar.requests()) == 1
    with polar_app.app_context():
        reasons = db.session.scalars(db.select(Order.billing_reason)).all()
    assert sorted(reasons) == ["subscription_create", "subscription_update"]


def test_clicks_at_once_delete_the_account_once(
    polar_app: Flask, polar: LocalPolar, shop: Shop
) -> None:
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    url = "/settings/account/delete"
    clients = [sign_in_again(polar_app) for _ in range(CLICKS)]
    tokens = [csrf_token(each, url) for each in clients]

    def click(each: FlaskClient, token: str) -> Callable[[], str]:
        fields = {"password": PASSWORD, "csrf_token": token}
        return lambda: each.post(url, data=fields).location

    assert set(at_once(*map(click, clients, tokens))) == {"/"}
    told = [each.get("/").text for each in clients]
    assert sum("Your account is deleted." in page for page in told) == 1
    assert sum("This account does not exist any more." in page for page in told) == CLICKS - 1
    with polar_app.app_context():
        assert db.session.scalars(db.select(User)).all() == []
        assert orphans.found() == []


def test_checkout_of_another_tab_makes_no_customer_of_who_is_leaving(
    polar_app: Flask, polar: LocalPolar, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Polar has just forgotten the customer, and the account is still here."""
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    url = "/api/billing/checkout"
    other = sign_in_again(polar_app)
    headers = {"X-CSRFToken": csrf_token(other)}
    real, answers = gateway.delete_customer, list[TestResponse]()

    def click() -> None:
        fields = {"product_id": ids["Lifetime"]}
        answers.append(other.post(url, json=fields, headers=headers))

    tab = Thread(target=click)

    def click_meanwhile(polar_id: str) -> Answer:
        answer = real(polar_id)
        tab.start()
        tab.join(1)
        return answer

    monkeypatch.setattr(gateway, "delete_customer", click_meanwhile)
    assert submit(client, "/settings/account/delete", password=PASSWORD).location == "/"
    tab.join()
    assert answers[0].status_code == 401
    assert answers[0].get_json()["error"]["code"] == "unauthorized"
    with polar_app.app_context():
        assert gateway.customers_by_email("ada@example.com") == []


def test_account_stays_while_a_checkout_is_being_prepared(
    polar_app: Flask, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = shop
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.3)
    hold_turn(polar_app, timedelta())
    page = submit(client, "/settings/account/delete", password=PASSWORD).text
    assert "Your account was not deleted. Your last click is still being worked on" in page
    assert client.get("/settings/account").status_code == 200


def test_deletion_that_failed_gives_its_turn_back(
    polar_app: Flask, polar: LocalPolar, shop: Shop
) -> None:
    client, ids = shop
    polar.faults(api="500")
    assert "was not deleted" in submit(client, "/settings/account/delete", password=PASSWORD).text
    polar.faults(api=None)
    assert choose(client, ids["Pro Monthly"]).status_code == 303
    assert submit(client, "/settings/account/delete", password=PASSWORD).location == "/"


def test_a_machine_whose_clock_is_ahead_waits_for_its_turn(app: Flask) -> None:
    sign_in(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            pytest.skip("SQLite is for one machine, which has one clock")
        user_id = db.session.scalars(db.select(User.id)).one()
        with turns.taken(user_id), time_machine.travel(utcnow() + 2 * turns.LONGEST):
            assert not turns._take(user_id, "another machine")
