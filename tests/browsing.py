"""A visitor without a browser: finds the form on the page, fills it in, sends it with its CSRF token."""

import re
from functools import cache
from typing import Any

from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from saas.accounts import passwords
from saas.accounts.models import User
from saas.extensions import db
from saas.kit.datetimes import utcnow

PASSWORD = "a long enough password"


def soup(response: TestResponse) -> BeautifulSoup:
    """Return the page of a response."""
    return BeautifulSoup(response.text, "html.parser")


def csrf_token(client: FlaskClient, url: str = "/login") -> str:
    """Return the token of any form on the page at ``url``."""
    return _made_by_the_page(client, url)["csrf_token"]


def _made_by_the_page(client: FlaskClient, url: str) -> dict[str, str]:
    """Return the token of a form on the page, and what stands for the words of the page, if anything."""
    page = soup(client.get(url, follow_redirects=True))
    found = {
        name: str(field["value"])
        for name in ("csrf_token", "fingerprint")
        if (field := page.select_one(f'input[name="{name}"]'))
    }
    assert "csrf_token" in found, f"no form at {url}"
    return found


def without_token(page: str) -> str:
    """Return the text of a page without the token of its forms, which is dated to the second."""
    return re.sub(r'(csrf_token" value=")[^"]+', r"\1", page)


def submit(
    client: FlaskClient, url: str, *, form_at: str | None = None, **fields: Any
) -> TestResponse:
    """Send a form, with the hidden fields of the page at ``form_at``, or at ``url`` itself."""
    return client.post(url, data=_made_by_the_page(client, form_at or url) | fields)


@cache
def hashed(password: str) -> str:
    """Return the hash of a password, the same each time: making one is meant to be slow."""
    return passwords.hash_password(password)


def sign_in(app: Flask, email: str = "ada@example.com", **changes: Any) -> tuple[FlaskClient, str]:
    """Make a confirmed user and sign in by the form. Returns the client and the user's public id."""
    with app.app_context():
        user = User(email=email, password_hash=hashed(PASSWORD), **changes)
        user.email_confirmed_at = changes.get("email_confirmed_at", utcnow())
        db.session.add(user)
        db.session.commit()
        public_id = user.public_id
    client = app.test_client()
    response = submit(client, "/login", email=email, password=PASSWORD)
    assert response.status_code in {302, 303}, response.text
    return client, public_id
