"""An ordinary signed-in page asks the database twice: who you are, and what you may use."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from saas.accounts.models import User
from saas.extensions import db
from tests.billing.holding_data import put_subscription
from tests.browsing import sign_in


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """Note every query of the application."""
    with app.app_context():
        engine = db.engine
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("url", ["/dashboard", "/dashboard/reports", "/settings/account"])
@pytest.mark.parametrize("status", ["active", "past_due"])
def test_two_queries(app: Flask, url: str, status: str) -> None:
    client, _ = sign_in(app)
    with app.app_context():
        put_subscription(db.session.scalars(db.select(User)).one(), status=status)
    with counted(app) as seen:
        client.get(url)
    assert len(seen) <= 2, seen


def test_a_visitor_costs_none(app: Flask) -> None:
    with counted(app) as seen:
        assert app.test_client().get("/terms").status_code == 200
    assert seen == []
