"""The banner of an open payment: on every signed-in page, with the way to mend it."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from saas.accounts.models import User
from saas.extensions import db
from saas.kit.datetimes import utcnow
from saas.templating import day
from tests.billing.holding_data import put_order, put_subscription
from tests.browsing import sign_in, soup

PAGES = [
    "/dashboard",
    "/settings/account",
    "/settings/billing",
    "/settings/password",
    "/pricing",
    "/",
    "/terms",
    "/nowhere",
]
CLOSED = "Pro is closed until it is paid. Meanwhile you are on the free plan."


def banner(client: Any, url: str) -> str:
    found = soup(client.get(url)).select_one('[data-testid="owed"]')
    return " ".join(found.get_text(" ").split()) if found else ""


def owes(app: Flask, **changes: Any) -> Any:
    client, _ = sign_in(app)
    with app.app_context():
        user = db.session.scalars(db.select(User)).one()
        changes = {"status": "past_due", "past_due_at": utcnow().isoformat()} | changes
        put_subscription(user, **changes)
    return client


@pytest.mark.parametrize("url", PAGES)
def test_on_every_page(app: Flask, url: str) -> None:
    client = owes(app)
    words = banner(client, url)
    assert words.startswith("Your last payment failed.")
    assert CLOSED in words
    form = soup(client.get(url)).select_one('[data-testid="owed"] form')
    assert form is not None
    assert form["action"] == "/settings/billing/portal"


def test_within_the_grace_period(make_app: Any, clean: None) -> None:
    client = owes(make_app(past_due_grace_days=7))
    assert "Pro stays open until " in banner(client, "/dashboard")
    assert client.get("/dashboard/reports").status_code == 200


def test_after_the_grace_period(make_app: Any, clean: None) -> None:
    client = owes(
        make_app(past_due_grace_days=7), past_due_at=(utcnow() - timedelta(days=7)).isoformat()
    )
    assert CLOSED in banner(client, "/dashboard")
    assert client.get("/dashboard/reports").status_code == 303


def test_nobody_else_sees_it(app: Flask) -> None:
    client = owes(app, status="active", past_due_at=None)
    assert banner(client, "/dashboard") == ""
    assert banner(app.test_client(), "/pricing") == ""


def test_with_something_else_that_stands(app: Flask) -> None:
    client = owes(app)
    with app.app_context():
        put_order(db.session.scalars(db.select(User)).one())
    words = "Pro is closed until it is paid. Meanwhile you are on Lifetime."
    assert words in banner(client, "/dashboard")


@pytest.mark.parametrize(("days", "says"), [(6, "Pro stays open until "), (7, CLOSED)])
def test_status_says_the_same(make_app: Any, clean: None, days: int, says: str) -> None:
    since = (utcnow() - timedelta(days=days)).isoformat()
    client = owes(make_app(past_due_grace_days=7), past_due_at=since)
    status = soup(client.get("/settings/billing")).select_one('[data-testid="plan-status"]')
    assert status is not None
    assert says in status.get_text()
    assert says in banner(client, "/settings/billing")


def test_cancelled_as_well(app: Flask) -> None:
    """The day on which it ends is said, so that "until then" points at something."""
    end = utcnow() + timedelta(days=20)
    client = owes(app, cancel_at_period_end=True, ends_at=end.isoformat())
    page = " ".join(soup(client.get("/settings/billing")).get_text(" ").split())
    assert f"It is cancelled and ends on {day(end)} at the latest." in page
    assert "You can change your mind until then." in page


def test_end_of_what_is_cancelled_comes_before_the_end_of_the_grace(
    make_app: Any, clean: None
) -> None:
    """A weekly plan is over before its grace period is: the banner says what the page says."""
    end = utcnow() + timedelta(days=5)
    client = owes(
        make_app(past_due_grace_days=14),
        recurring_interval="week",
        cancel_at_period_end=True,
        current_period_end=end.isoformat(),
        ends_at=end.isoformat(),
    )
    words = f"Pro stays open until {day(end)}, so that you can mend it."
    status = soup(client.get("/settings/billing")).select_one('[data-testid="plan-status"]')
    assert status is not None
    assert words in status.get_text()
    assert words in banner(client, "/settings/billing")
