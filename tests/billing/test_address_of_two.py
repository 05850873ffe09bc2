"""An address that belonged to one of two customers of somebody here, and is proven by somebody else later."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from saas.billing import gateway
from saas.billing.models import Customer
from saas.extensions import db
from tests.billing.buying import choose
from tests.billing.test_claims import BOB, CAROL, ids, move, plan, stranger, two
from tests.browsing import PASSWORD, sign_in, submit
from tests.test_cli_billing import run

__all__ = ["ids", "stranger", "two"]

Two = tuple[FlaskClient, str]


@pytest.fixture
def heir(polar_app: Flask, two: Two) -> FlaskClient:
    """Ada, who paid as Bob, has another address now. Bob's is proven by somebody who is new here."""
    move(polar_app, two[0], CAROL)
    client, _ = sign_in(polar_app, BOB)
    return client


def at_polar(app: Flask, customer_id: str) -> dict[str, Any]:
    with app.app_context():
        data: dict[str, Any] = gateway.customer(customer_id).data
        return data


def test_checkout_takes_nothing_from_its_owner(
    polar_app: Flask, heir: FlaskClient, two: Two, stranger: str, ids: dict[str, str]
) -> None:
    choose(heir, ids["Team Monthly"])
    assert plan(polar_app, two[1]) == "pro"
    assert at_polar(polar_app, stranger)["external_id"] is None


def test_leaving_ends_nothing_of_its_owner(
    polar_app: Flask, polar: LocalPolar, heir: FlaskClient, two: Two, stranger: str
) -> None:
    submit(heir, "/settings/account/delete", password=PASSWORD)
    polar.wait_idle()
    assert plan(polar_app, two[1]) == "pro"
    assert at_polar(polar_app, stranger)["email"] == BOB


def test_comparison_links_nothing(
    polar_app: Flask, heir: FlaskClient, two: Two, stranger: str
) -> None:
    assert "linked to the account" not in run(polar_app, "sync", BOB)
    assert plan(polar_app, two[1]) == "pro"


def test_sign_in_takes_nothing(
    polar_app: Flask, heir: FlaskClient, two: Two, stranger: str
) -> None:
    assert heir.get("/settings/billing").status_code == 200
    assert plan(polar_app, two[1]) == "pro"
    with polar_app.app_context():
        assert db.session.get_one(Customer, stranger).external_id is None
