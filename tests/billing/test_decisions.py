"""Cancel with a reason, keep, pause, resume: the page says what happens, the POST does it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from saas.billing import gateway
from saas.billing.gateway import Answer, PaymentDeclined
from saas.billing.models import Subscription
from saas.extensions import db
from saas.kit.datetimes import utcnow
from tests.billing.buying import buy, choose, fill_catalogue
from tests.billing.holding_data import put_subscription
from tests.browsing import PASSWORD, sign_in, soup, submit

CANCELLATION = "/settings/billing/cancellation"
KEEP, PAUSE = "/settings/billing/keep", "/settings/billing/pause"
RESUMPTION = "/settings/billing/resumption"
PAGES = (CANCELLATION, KEEP, PAUSE, RESUMPTION)


@pytest.fixture
def customer(polar_app: Flask, polar: LocalPolar) -> FlaskClient:
    """Somebody on Pro Monthly."""
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    return client


def at_polar(polar_app: Flask) -> dict[str, Any]:
    with polar_app.app_context():
        found = db.session.scalars(db.select(Subscription.polar_id)).one()
        data: dict[str, Any] = gateway.subscription(found).data
        return data


def text(client: FlaskClient, url: str = "/settings/billing") -> str:
    return " ".join(soup(client.get(url)).get_text(" ").split())


@contextmanager
def at_its_end(client: FlaskClient) -> Iterator[None]:
    """Our clock says that the period is over, and Polar has not got round to it yet."""
    with time_machine.travel(utcnow() + timedelta(days=32)):
        submit(client, "/login", email="ada@example.com", password=PASSWORD)
        yield


def test_choosing_anew_in_the_moment_in_which_it_ends(
    customer: FlaskClient, polar_app: Flask
) -> None:
    """Polar would refuse it, so it led round in circles between the choice and the change of plan."""
    submit(customer, CANCELLATION)
    with at_its_end(customer):
        chosen = choose(customer, at_polar(polar_app)["product_id"])
        landed = customer.get(chosen.location)
        assert landed.location == "/settings/billing"
        assert "is still being closed. You can choose a plan again" in text(customer)
        assert submit(customer, CANCELLATION, form_at="/login").location == "/settings/billing"


def test_resuming_in_the_moment_in_which_the_pause_begins(customer: FlaskClient) -> None:
    submit(customer, PAUSE, months="0")
    with at_its_end(customer):
        assert customer.get(RESUMPTION).location == "/settings/billing"
        assert "The pause is just beginning." in text(customer)


def test_cancel_with_a_reason_and_keep(
    customer: FlaskClient, polar_app: Flask, polar: LocalPolar
) -> None:
    page = text(customer, CANCELLATION)
    assert "You keep Pro Monthly until" in page
    assert "Nothing more is charged." in page
    response = submit(
        customer, CANCELLATION, reason="too_expensive", comment=" A bit too much for me. "
    )
    assert response.location == "/settings/billing"
    found = at_polar(polar_app)
    assert found["cancel_at_period_end"] is True
    assert found["customer_cancellation_reason"] == "too_expensive"
    assert found["customer_cancellation_comment"] == "A bit too much for me."
    page = text(customer)
    assert "Pro Monthly is cancelled. You keep it until" in page
    assert "You can change your mind until then." in page
    assert customer.get("/dashboard/reports").status_code == 200
    keep = soup(customer.get("/settings/billing")).select_one('[data-testid="keep-plan"]')
    assert keep is not None
    assert "This is undone." in text(customer, str(keep["href"]))
    assert submit(customer, str(keep["href"])).location == "/settings/billing"
    assert at_polar(polar_app)["cancel_at_period_end"] is False
    assert "You keep Pro Monthly." in text(customer)


def test_cancel_without_a_reason(customer: FlaskClient, polar_app: Flask) -> None:
    submit(customer, CANCELLATION)
    found = at_polar(polar_app)
    assert found["cancel_at_period_end"] is True
    assert found["customer_cancellation_reason"] is None


def test_made_up_reason_or_endless_comment(customer: FlaskClient, polar_app: Flask) -> None:
    assert submit(customer, CANCELLATION, reason="because").status_code == 422
    response = submit(customer, CANCELLATION, comment="x" * 501)
    assert response.status_code == 422
    assert "500 letters" in response.text
    assert at_polar(polar_app)["cancel_at_period_end"] is False


def test_cancelled_in_the_portal_meanwhile(customer: FlaskClient, polar_app: Flask) -> None:
    form = csrf_fields(customer, CANCELLATION)
    with polar_app.app_context():
        gateway.update_subscription(at_polar(polar_app)["id"], cancel_at_period_end=True)
    response = customer.post(CANCELLATION, data=form)
    assert response.location == "/settings/billing"
    assert "cancelled already" in text(customer)


def changes_sent(polar: LocalPolar) -> int:
    return sum(call["method"] == "PATCH" for call in polar.requests())


@pytest.mark.parametrize("before", ["the pause begins", "the period renews"])
def test_cancelling_on_a_page_that_is_out_of_date(
    customer: FlaskClient, polar: LocalPolar, before: str
) -> None:
    """What it said is not true any more: nothing is done, and it says what is."""
    if before == "the pause begins":
        submit(customer, PAUSE, months="0")
    form = csrf_fields(customer, CANCELLATION) | {"reason": "unused"}
    polar.advance(days=31)
    polar.wait_idle()
    sent = changes_sent(polar)
    again = customer.post(CANCELLATION, data=form).location
    assert again.startswith(f"{CANCELLATION}?subscription=")
    assert changes_sent(polar) == sent
    page = text(customer, again)
    assert "changed in the meantime, so we did nothing" in page
    if before == "the pause begins":
        assert "is paused, so it ends at once" in page
    submit(customer, again)
    assert changes_sent(polar) == sent + 1


@pytest.mark.parametrize("url", [KEEP, PAUSE, RESUMPTION])
def test_other_pages_that_are_out_of_date(
    customer: FlaskClient, polar: LocalPolar, url: str
) -> None:
    if url == KEEP:
        submit(customer, CANCELLATION)
    elif url == RESUMPTION:
        submit(customer, PAUSE, months="0")
        polar.advance(days=31)
        polar.wait_idle()
    sent = changes_sent(polar)
    form = csrf_fields(customer, url) | {"months": "0", "fingerprint": "of yesterday"}
    again = customer.post(url, data=form).location
    assert again.startswith(f"{url}?subscription=")
    assert "changed in the meantime" in text(customer, again)
    assert changes_sent(polar) == sent


def csrf_fields(client: FlaskClient, url: str) -> dict[str, str]:
    fields = soup(client.get(url)).select("form[method=post] input[name]")
    return {str(field["name"]): str(field.get("value", "")) for field in fields}


def test_refused_by_polar_changes_nothing(
    customer: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_polar_id: str, **_changes: object) -> Answer:
        raise gateway.PolarRejected("403")

    monkeypatch.setattr(gateway, "update_subscription", refused)
    again = submit(customer, CANCELLATION).location
    assert again.startswith(f"{CANCELLATION}?subscription=")
    assert "changed in the meantime, so we did nothing" in text(customer, again)


def test_nothing_to_do(customer: FlaskClient) -> None:
    for url in (KEEP, RESUMPTION):
        response = customer.get(url)
        assert response.location == "/settings/billing"
    assert "Nothing is scheduled" in text(customer) or "not paused" in text(customer)


def test_pause_page_says_what_happens(customer: FlaskClient) -> None:
    page = text(customer, PAUSE)
    assert "Nothing is charged during the pause." in page
    assert "You keep Pro Monthly until" in page


@pytest.mark.parametrize("url", PAGES)
def test_who_may(polar_app: Flask, polar: LocalPolar, url: str) -> None:
    """Anonymous: sign in. Without a subscription: back to billing. Without a token: refused."""
    assert polar_app.test_client().get(url).status_code == 303
    client, _ = sign_in(polar_app)
    assert client.get(url).location == "/settings/billing"
    assert client.post(url).status_code == 400


def test_nobody_cancels_somebody_elses(customer: FlaskClient, polar_app: Flask) -> None:
    found = at_polar(polar_app)["id"]
    bob, _ = sign_in(polar_app, "bob@example.com")
    response = submit(bob, CANCELLATION, form_at="/settings/billing", subscription_id=found)
    assert response.location == "/settings/billing"
    assert at_polar(polar_app)["cancel_at_period_end"] is False


@pytest.mark.parametrize("url", [CANCELLATION, PAUSE])
def test_polar_down(customer: FlaskClient, polar: LocalPolar, url: str) -> None:
    polar.faults(api="down")
    assert customer.get(url).status_code == 503


def test_resuming_with_a_declined_card(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    from saas.accounts.models import User

    def declined(_polar_id: str, **_changes: object) -> Answer:
        raise PaymentDeclined("402")

    client, _ = sign_in(app)
    with app.app_context():
        user = db.session.scalars(db.select(User)).one()
        put_subscription(user, status="paused", grants=False)
    monkeypatch.setattr("saas.billing.subscriptions.refresh", lambda _id: None)
    monkeypatch.setattr(gateway, "update_subscription", declined)
    assert "About $20 is charged to your card now" in text(client, RESUMPTION)
    response = submit(client, RESUMPTION)
    assert response.status_code == 422
    assert "card was declined" in response.text
    card = soup(client.get("/pricing")).select_one('[data-testid="resume-pro"]')
    assert card is not None


def test_cancelling_what_is_owed_promises_nothing(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from saas.accounts.models import User

    client, _ = sign_in(app)
    with app.app_context():
        user = db.session.scalars(db.select(User)).one()
        put_subscription(user, status="past_due", past_due_at="2026-11-19T00:00:00Z")
    monkeypatch.setattr("saas.billing.subscriptions.refresh", lambda _id: None)
    page = text(client, CANCELLATION)
    assert "may still be tried" in page
    assert "You keep" not in page
