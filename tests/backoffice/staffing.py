"""What tests of the staff pages do: hire somebody by the command line, press a button, read the log."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from werkzeug.test import TestResponse

from saas.audit import AuditEntry
from saas.extensions import db
from tests.browsing import csrf_token


def hire(app: Flask, email: str) -> None:
    result = app.test_cli_runner().invoke(args=["users", "staff", email])
    assert result.exit_code == 0, result.output


def press(client: FlaskClient, url: str, page: str, **fields: Any) -> TestResponse:
    """Send a form with the token of ``page`` and follow the answer."""
    fields["csrf_token"] = csrf_token(client, page)
    return client.post(url, data=fields, follow_redirects=True)


def log(app: Flask, action: str = "") -> list[AuditEntry]:
    """What the audit log holds, oldest first."""
    with app.app_context():
        query = select(AuditEntry).order_by(AuditEntry.id)
        rows = db.session.scalars(query.where(AuditEntry.action == action) if action else query)
        return list(rows)


def press_while_nothing_can_be_logged(
    client: FlaskClient, url: str, page: str, **fields: Any
) -> int:
    """Send a form whose entry in the audit log fails. Returns the status."""
    fields["csrf_token"] = csrf_token(client, page)
    with _refused_entries():
        return client.post(url, data=fields).status_code


@contextmanager
def _refused_entries() -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise OSError("no room for an entry")

    event.listen(AuditEntry, "before_insert", refuse)
    try:
        yield
    finally:
        event.remove(AuditEntry, "before_insert", refuse)
