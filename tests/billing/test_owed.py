"""The banner of an open payment: on every signed-in page, with the way to mend it."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from saas.accounts.models import User
from saas.extensions import db
from saas.kit.datetimes import utcnow
from tests.billing.holding_data import put_subscription
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
    assert "Your plan is closed until it is paid." in words
    form = soup(client.get(url)).select_one('[data-testid="owed"] form')
    assert form is not None
    assert form["action"] == "/settings/billing/portal"


def test_within_the_grace_period(make_app: Any, clean: None) -> None:
    client = owes(make_app(past_due_grace_days=7))
    assert "Your plan stays open until " in banner(client, "/dashboard")
    assert client.get("/dashboard/reports").status_code == 200


def test_after_the_grace_period(make_app: Any, clean: None) -> None:
    client = owes(
        make_app(past_due_grace_days=7), past_due_at=(utcnow() - timedelta(days=7)).isoformat()
    )
    assert "Your plan is closed until it is paid." in banner(client, "/dashboard")
    assert client.get("/dashboard/reports").status_code == 303


def test_nobody_else_sees_it(app: Flask) -> None:
    client = owes(app, status="active", past_due_at=None)
    assert banner(client, "/dashboard") == ""
    assert banner(app.test_client(), "/pricing") == ""
