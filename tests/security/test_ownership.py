"""What belongs to somebody else is not there: by id, in every page and call."""

import uuid

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from polar_emulator.testing import LocalPolar
from saas.billing.models import Order, Subscription
from saas.extensions import db
from tests.billing.buying import buy, choose, fill_catalogue
from tests.browsing import csrf_token, sign_in, without_token


class Ada:
    """A customer, and the ids of what is hers."""

    def __init__(self, app: Flask, polar: LocalPolar) -> None:
        ids = fill_catalogue(app)
        self.client, self.public_id = sign_in(app)
        page = buy(self.client, polar, ids["Pro Monthly"])
        self.confirmation = page.request.full_path
        self.checkout = page.request.args["checkout_id"]
        with app.app_context():
            self.order = db.session.scalars(select(Order.polar_id)).one()
            self.subscription = db.session.scalars(select(Subscription.polar_id)).one()
        self.dearer = ids["Team"] if "Team" in ids else ids["Pro Yearly"]


@pytest.fixture
def ada(polar_app: Flask, polar: LocalPolar) -> Ada:
    return Ada(polar_app, polar)


@pytest.fixture
def bob(polar_app: Flask, ada: Ada) -> FlaskClient:
    return sign_in(polar_app, "bob@example.com")[0]


def post(client: FlaskClient, url: str, **fields: str) -> TestResponse:
    fields["csrf_token"] = csrf_token(client, "/settings/password")
    return client.post(url, data=fields)


def state(app: Flask) -> list[tuple[object, ...]]:
    with app.app_context():
        found = db.session.scalars(select(Subscription)).all()
        return [
            (row.status, row.cancel_at_period_end, row.pause_at_period_end, row.product_id)
            for row in found
        ]


def test_invoices(ada: Ada, bob: FlaskClient) -> None:
    url = f"/settings/billing/invoices/{ada.order}"
    assert ada.client.get(url).status_code == 200
    nothing = f"/settings/billing/invoices/{uuid.uuid4()}"
    for method in (bob.get, lambda where: post(bob, where)):
        mine, nobodys = method(url), method(nothing)
        assert mine.status_code == nobodys.status_code == 404
        assert without_token(mine.text) == without_token(nobodys.text)


def test_checkouts(ada: Ada, bob: FlaskClient) -> None:
    assert ada.client.get(ada.confirmation).status_code == 200
    for url in (ada.confirmation, f"/api/billing/checkout/{ada.checkout}"):
        answer = bob.get(url)
        assert answer.status_code == 404
        assert "Pro" not in answer.text
        nothing = bob.get(url.replace(ada.checkout, str(uuid.uuid4())))
        assert without_token(nothing.text) == without_token(answer.text)


@pytest.mark.parametrize("what", ["cancellation", "pause", "resumption", "keep"])
def test_decisions_about_a_subscription(
    ada: Ada, bob: FlaskClient, polar_app: Flask, what: str
) -> None:
    before, url = state(polar_app), f"/settings/billing/{what}"
    shown = bob.get(url, query_string={"subscription": ada.subscription})
    assert shown.status_code == 303
    fields = {"subscription_id": ada.subscription, "months": "1", "reason": "other"}
    assert post(bob, url, **fields).status_code == 303
    assert state(polar_app) == before


def test_a_change_of_plan_is_of_ones_own(ada: Ada, bob: FlaskClient, polar_app: Flask) -> None:
    before = state(polar_app)
    fields = {"product_id": ada.dearer, "subscription_id": ada.subscription, "behavior": "invoice"}
    assert post(bob, "/settings/billing/plan", **fields).status_code == 303
    assert state(polar_app) == before


def test_a_purchase_is_for_oneself(ada: Ada, bob: FlaskClient, polar: LocalPolar) -> None:
    token = csrf_token(bob, "/settings/password")
    body = {
        "product_id": ada.dearer,
        "metadata": {"user_id": ada.public_id},
        "external_customer_id": ada.public_id,
        "customer_email": "ada@example.com",
    }
    refused = bob.post("/api/billing/checkout", json=body, headers={"X-CSRFToken": token})
    assert refused.status_code == 422
    del body["metadata"]
    made = bob.post("/api/billing/checkout", json=body, headers={"X-CSRFToken": token})
    assert made.status_code == 201
    assert ada.client.get(f"/api/billing/checkout/{made.json['id']}").status_code == 404
    assert bob.get(f"/api/billing/checkout/{made.json['id']}").status_code == 200


def test_pages_show_ones_own_payments(ada: Ada, bob: FlaskClient) -> None:
    assert ada.order in ada.client.get("/settings/billing").text
    assert ada.order not in bob.get("/settings/billing").text


def test_a_chosen_product_stays_in_its_browser(ada: Ada, bob: FlaskClient) -> None:
    assert choose(bob, ada.dearer).status_code == 303
