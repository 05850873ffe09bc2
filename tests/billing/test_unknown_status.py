"""Polar has a status that we do not know yet: no page breaks, nothing is bought twice, staff are told."""

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.backoffice import acts
from saas.billing import gateway
from saas.billing.gateway import wire
from saas.billing.models import Subscription
from saas.extensions import db
from tests.billing.buying import buy, choose, fill_catalogue
from tests.browsing import sign_in, soup, submit

SETTINGS = "/settings/billing"


@pytest.fixture
def shop(polar_app: Flask, polar: LocalPolar) -> tuple[FlaskClient, dict[str, str]]:
    """Somebody on Pro Monthly, and the ids of the products."""
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    return client, ids


def hibernate(patch: pytest.MonkeyPatch, *methods: str) -> None:
    """Let the answers to these calls say that what is active is hibernating."""
    real = wire.json_of

    def told(method: str, path: str, response: Any) -> Any:
        data = real(method, path, response)
        if method not in methods:
            return data
        return json.loads(json.dumps(data).replace('"status": "active"', '"status": "hibernating"'))

    patch.setattr(wire, "json_of", told)


@pytest.mark.parametrize("page", ["cancellation", "pause", "keep", "resumption", "plan"])
def test_pages_say_that_it_does_not_work(
    shop: tuple[FlaskClient, dict[str, str]], monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    client, ids = shop
    hibernate(monkeypatch, "GET")
    response = client.get(f"{SETTINGS}/{page}", query_string={"product_id": ids["Team Monthly"]})
    assert response.status_code == 502
    assert "gave an answer we could not use" in response.text


def test_a_change_that_is_made_is_not_called_a_failure(
    shop: tuple[FlaskClient, dict[str, str]], polar_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = shop
    with monkeypatch.context() as patch:
        hibernate(patch, "PATCH")
        assert submit(client, f"{SETTINGS}/cancellation").location == SETTINGS
    assert "is cancelled. You keep it until" in soup(client.get(SETTINGS)).get_text()
    with polar_app.app_context():
        polar_id = db.session.scalars(select(Subscription.polar_id)).one()
        assert gateway.subscription(polar_id).data["cancel_at_period_end"] is True


def test_no_second_subscription_beside_it(
    shop: tuple[FlaskClient, dict[str, str]], polar: LocalPolar, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, ids = shop
    hibernate(monkeypatch, "GET")
    polar.forget_requests()
    assert choose(client, ids["Team Monthly"]).location.startswith(f"{SETTINGS}/plan?")
    made = [r for r in polar.requests() if (r["method"], r["path"]) == ("POST", "/v1/checkouts/")]
    assert made == []


@pytest.mark.parametrize("words", [(), ("ada@example.com",)], ids=["all", "one"])
def test_a_comparison_tells_what_it_could_not_read(
    shop: tuple[FlaskClient, dict[str, str]],
    polar_app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    hibernate(monkeypatch, "GET")
    result = polar_app.test_cli_runner().invoke(args=["billing", "sync", *words])
    assert result.exit_code == 0
    assert "could not be read: subscription.status: unknown value 'hibernating'" in result.output
    assert "1 could not be read and stays as it was." in result.output
    assert "agrees" not in result.output


def test_staff_are_told_how_many(
    shop: tuple[FlaskClient, dict[str, str]], polar_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    hibernate(monkeypatch, "GET")
    with polar_app.app_context():
        user = db.session.scalars(select(User)).one()
        assert acts.sync(user, "staff@example.com") == (0, 1)
