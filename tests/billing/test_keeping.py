"""Keep a plan that was to change and to end: one call for each, and the truth when one of them fails."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from saas.billing import gateway
from saas.billing.gateway import Answer
from saas.billing.models import Subscription
from saas.extensions import db
from tests.billing.buying import buy, fill_catalogue
from tests.billing.test_decisions import KEEP, at_polar, text
from tests.browsing import sign_in, submit


@pytest.fixture
def customer(polar_app: Flask, polar: LocalPolar) -> FlaskClient:
    """Somebody on Pro Monthly who chose Team for the next period, and then cancelled."""
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    with polar_app.app_context():
        polar_id = db.session.scalars(db.select(Subscription.polar_id)).one()
        later = {"product_id": ids["Team Monthly"], "proration_behavior": "next_period"}
        gateway.update_subscription(polar_id, **later)
        gateway.update_subscription(polar_id, cancel_at_period_end=True)
    return client


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (gateway.PolarUnavailable("429", retry_after=60), "the cancellation still stands"),
        (gateway.PolarRejected("403"), "the cancellation still stands"),
        (
            gateway.PolarUnavailable("cut off", may_be_done=True),
            "whether the cancellation is undone",
        ),
    ],
)
def test_keeping_that_stops_half_way(
    customer: FlaskClient,
    polar_app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    trouble: gateway.PolarError,
    says: str,
) -> None:
    """What costs money is undone first, and the page says what is true."""
    real, calls = gateway.update_subscription, []

    def only_once(*args: Any, **changes: Any) -> Answer:
        calls.append(changes)
        if len(calls) > 1:
            raise trouble
        return real(*args, **changes)

    monkeypatch.setattr(gateway, "update_subscription", only_once)
    response = submit(customer, KEEP)
    assert response.location == "/settings/billing"
    found = at_polar(polar_app)
    assert (found["cancel_at_period_end"], found["pending_update"]) == (True, None)
    page = text(customer)
    assert "Only half of it is done: the change of plan is undone, but " in page
    assert says in page
    assert "Cancelled. You keep your plan until" in page


def test_keeping_that_does_not_begin(
    customer: FlaskClient, polar_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:

    def away(*_args: Any, **_changes: Any) -> Answer:
        raise gateway.PolarUnavailable("429", retry_after=60)

    monkeypatch.setattr(gateway, "update_subscription", away)
    response = submit(customer, KEEP)
    assert response.status_code == 503
    assert "Nothing was charged, and your plan has not changed." in response.text


def test_keeping_what_was_switched_and_cancelled(customer: FlaskClient, polar_app: Flask) -> None:
    assert submit(customer, KEEP).location == "/settings/billing"
    found = at_polar(polar_app)
    assert (found["cancel_at_period_end"], found["pending_update"]) == (False, None)
