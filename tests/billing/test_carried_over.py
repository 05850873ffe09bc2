"""A free plan that was cancelled: nothing is decided by opening a checkout, and what is paid goes on."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from saas.billing import carried_over, gateway, notices
from saas.billing.gateway import Answer
from saas.billing.models import Subscription
from saas.extensions import db
from saas.jobs.models import Job
from tests.billing.buying import buy, choose, fill_catalogue, pay
from tests.billing.mailing import mails
from tests.browsing import sign_in
from tests.webhooks.door import event, send

Shop = tuple[FlaskClient, dict[str, str]]


@pytest.fixture
def shop(polar_app: Flask, polar: LocalPolar) -> Shop:
    """Somebody whose free plan was cancelled in the portal; our own page does not offer it."""
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Free"])
    with polar_app.app_context():
        free = db.session.scalars(db.select(Subscription.polar_id)).one()
        gateway.update_subscription(free, cancel_at_period_end=True)
    polar.wait_idle()
    client.get("/settings/billing/returned")
    return client, ids


def at_polar(app: Flask) -> dict[str, Any]:
    with app.app_context():
        polar_id = db.session.scalars(db.select(Subscription.polar_id)).one()
        data: dict[str, Any] = gateway.subscription(polar_id).data
        return data


def test_opening_a_checkout_undoes_nothing(polar_app: Flask, shop: Shop) -> None:
    client, ids = shop
    assert choose(client, ids["Pro Monthly"]).status_code == 303
    assert at_polar(polar_app)["cancel_at_period_end"] is True


def test_what_is_paid_goes_on(polar_app: Flask, polar: LocalPolar, shop: Shop) -> None:
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    found = at_polar(polar_app)
    assert (found["product_id"], found["cancel_at_period_end"]) == (ids["Pro Monthly"], False)
    assert "Active. Renews on" in client.get("/settings/billing").text
    with polar_app.app_context():
        assert not [mail for mail in mails() if "is cancelled" in mail]


def test_who_does_not_come_back_from_paying(
    polar_app: Flask, polar: LocalPolar, shop: Shop
) -> None:
    client, ids = shop
    pay(polar, choose(client, ids["Pro Monthly"]).location)
    client.get("/settings/billing/returned")
    assert at_polar(polar_app)["cancel_at_period_end"] is False


def test_polar_away_in_this_moment(
    polar_app: Flask, polar: LocalPolar, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The confirmation page does without, and the worker tries until it is done."""
    client, ids = shop

    def away(*_args: Any, **_changes: Any) -> Answer:
        raise gateway.PolarUnavailable("429")

    back = pay(polar, choose(client, ids["Pro Monthly"]).location)
    with monkeypatch.context() as patched:
        patched.setattr(gateway, "update_subscription", away)
        assert "all set" in client.get(back).text
    assert at_polar(polar_app)["cancel_at_period_end"] is True
    with polar_app.app_context():
        job = db.session.scalars(db.select(Job).where(Job.name == carried_over.UNDOING)).one()
        assert job.state == "waiting"
        carried_over.undo(**job.arguments)
    assert at_polar(polar_app)["cancel_at_period_end"] is False


def test_what_is_cancelled_afterwards_stays_cancelled(
    polar_app: Flask, polar: LocalPolar, shop: Shop
) -> None:
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    polar_id = at_polar(polar_app)["id"]
    with polar_app.app_context():
        gateway.update_subscription(polar_id, cancel_at_period_end=True)
        notices.run()
    client.get("/settings/billing/returned")
    assert at_polar(polar_app)["cancel_at_period_end"] is True


def test_a_paid_plan_that_was_cancelled_stays_cancelled_in_a_new_period(
    polar_app: Flask, polar: LocalPolar
) -> None:
    """As after a pause: the cancellation is older than the period, but it was about a plan that was paid."""
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    time.sleep(0.01)  # So that the cancellation is later than the order.
    with polar_app.app_context():
        polar_id = db.session.scalars(db.select(Subscription.polar_id)).one()
        data = gateway.update_subscription(polar_id, cancel_at_period_end=True).data
    later = datetime.now(UTC) + timedelta(minutes=1)
    moved = {"current_period_start": later.isoformat(), "modified_at": later.isoformat()}
    assert send(client, event("subscription.updated", data | moved)).status_code == 202
    with polar_app.app_context():
        row = db.session.scalars(db.select(Subscription)).one()
        assert row.cancel_at_period_end
        assert row.canceled_at < row.current_period_start
        assert not db.session.scalars(db.select(Job).where(Job.name == carried_over.UNDOING)).all()
    assert at_polar(polar_app)["cancel_at_period_end"] is True
