"""What tests of the staff pages do: hire somebody by the command line, press a button, read the log."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
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
