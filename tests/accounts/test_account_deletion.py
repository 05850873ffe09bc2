"""Deleting an account ends billing first, or nothing happens."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import gateway
from saas.billing.models import Customer
from saas.extensions import db
from tests.billing.buying import buy, fill_catalogue
from tests.browsing import PASSWORD, sign_in, submit

URL = "/settings/account/delete"


def people(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(db.select(User.email)))


def at_polar(app: Flask, public_id: str) -> list[tuple[str, object]]:
    """The status and end of each subscription of a customer whom Polar still knows by our id."""
    with app.app_context():
        customer = gateway.customer_by_external_id(public_id)
        found = gateway.customer_subscriptions(str(customer.data["id"])) if customer else []
        return [(each.data["status"], each.data["ended_at"]) for each in found]


def test_without_billing(polar_app: Flask) -> None:
    client, _ = sign_in(polar_app)
    assert "This cannot be undone." in client.get(URL).text
    response = submit(client, URL, password=PASSWORD)
    assert (response.status_code, response.location) == (303, "/")
    assert "Your account is deleted." in client.get("/").text
    assert people(polar_app) == []
    assert client.get("/dashboard").location.startswith("/login")


def test_subscription_ends_and_the_customer_is_deleted_at_polar(
    polar_app: Flask, polar: LocalPolar
) -> None:
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    assert at_polar(polar_app, public_id) == [("active", None)]
    submit(client, URL, password=PASSWORD)
    polar.wait_idle()
    with polar_app.app_context():
        assert gateway.customer_by_external_id(public_id) is None
        customer = db.session.scalars(db.select(Customer)).one()
        assert customer.user_id is None
        assert customer.deleted_at is not None
        statuses = [each.data["status"] for each in gateway.pages("/v1/subscriptions/")]
    assert statuses == ["canceled"]
    assert people(polar_app) == []


@pytest.mark.parametrize(
    ("scenario", "days", "status"),
    [("pause", 0, "active"), ("pause", 32, "paused"), ("fail-next-renewal", 32, "past_due")],
)
def test_whatever_the_subscription_does_it_ends(
    polar_app: Flask, polar: LocalPolar, scenario: str, days: int, status: str
) -> None:
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    polar.scenario(scenario)
    if days:
        polar.advance(days=days)
    assert [found for found, _ in at_polar(polar_app, public_id)] == [status]
    submit(client, URL, password=PASSWORD)
    polar.wait_idle()
    assert people(polar_app) == []
    with polar_app.app_context():
        assert gateway.customer_by_external_id(public_id) is None
        statuses = [each.data["status"] for each in gateway.pages("/v1/subscriptions/")]
    assert statuses == ["canceled"]


def test_signing_up_again_with_the_same_address(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, before = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    submit(client, URL, password=PASSWORD)
    polar.wait_idle()
    client, after = sign_in(polar_app)
    assert before != after
    assert client.get("/dashboard/reports").status_code == 303
    assert "all set" in buy(client, polar, ids["Pro Monthly"]).text
    assert client.get("/dashboard/reports").status_code == 200


@pytest.mark.parametrize("fault", ["down", "500", "429", "401"])
def test_polar_does_not_answer_so_nothing_is_deleted(
    polar_app: Flask, polar: LocalPolar, fault: str
) -> None:
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    polar.faults(api=fault)
    response = submit(client, URL, password=PASSWORD)
    assert response.status_code == 422
    assert "Your account was not deleted." in response.text
    assert "again" in response.text
    assert people(polar_app) == ["ada@example.com"]
    polar.faults(api=None)
    assert at_polar(polar_app, public_id) == [("active", None)]
    assert submit(client, URL, password=PASSWORD).location == "/"
    assert people(polar_app) == []


def test_wrong_password(polar_app: Flask, polar: LocalPolar) -> None:
    client, _ = sign_in(polar_app)
    response = submit(client, URL, password="a guess")
    assert response.status_code == 422
    assert "not your current password" in response.text
    assert people(polar_app) == ["ada@example.com"]
    assert polar.requests() == []


def test_who_may(app: Flask, client: FlaskClient) -> None:
    assert client.get(URL).location == f"/login?next={URL}"
    signed_in, _ = sign_in(app)
    assert signed_in.post(URL, data={"password": PASSWORD}).status_code == 400
