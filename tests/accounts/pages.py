"""What a person does with the pages of accounts: reads a form, fills it in, sends it, opens mail."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from saas.accounts import service
from saas.accounts.models import User
from saas.dev import outbox
from saas.extensions import db
from tests.browsing import hashed

DASHBOARD = "/dashboard"
EMAIL = "ada@example.com"
PASSWORD = "engine of analysis"
NEW_PASSWORD = "notes on the engine"


@dataclass
class Form:
    """A form as a browser reads it: where it goes and what it sends when nothing is touched."""

    action: str
    values: dict[str, str]
    tag: Tag


def soup(response: TestResponse) -> BeautifulSoup:
    """Parse a page."""
    return BeautifulSoup(response.text, "html.parser")


def form_on(response: TestResponse) -> Form:
    """Return the form of a page's main part."""
    page = soup(response)
    tag = page.select_one("main form")
    assert tag is not None, f"no form on {response.request.path}"
    values = {
        str(field["name"]): str(field.get("value", ""))
        for field in tag.select("input[name]")
        if field.get("type") != "checkbox"
    }
    return Form(urljoin(response.request.full_path, str(tag.get("action", ""))), values, tag)


def fill(client: FlaskClient, url: str, **values: str) -> TestResponse:
    """Open a page, fill in its form and send it. The answer is not followed."""
    form = form_on(client.get(url))
    return client.post(form.action, data={**form.values, **values})


def press(client: FlaskClient, url: str) -> TestResponse:
    """Open a page and press its button."""
    return fill(client, url)


def token_of(client: FlaskClient) -> str:
    """Return a CSRF token that this browser may send."""
    return form_on(client.get("/forgot-password")).values["csrf_token"]


def error_beside(response: TestResponse, field: str) -> str:
    """Return the text tied to a field by ``aria-describedby``, or an empty string."""
    page = soup(response)
    tag = page.select_one(f"#{field}[aria-invalid=true]")
    if tag is None:
        return ""
    described = [page.find(id=name) for name in str(tag["aria-describedby"]).split()]
    return " ".join(part.get_text(" ", strip=True) for part in described if part)


def alert(response: TestResponse) -> str:
    """Return what the page says above its form."""
    tag = soup(response).select_one("[role=alert]")
    return tag.get_text(" ", strip=True) if tag else ""


def mails(app: Flask) -> list[outbox.Mail]:
    """Return what was sent, the newest first."""
    with app.app_context():
        return outbox.newest()


def link_in(mail: outbox.Mail, part: str) -> str:
    """Return the link of a mail whose address has ``part`` in it, as path and query."""
    for url in re.findall(r"http\S+", mail.text):
        if part in url:
            return urlsplit(url)._replace(scheme="", netloc="").geturl()
    raise AssertionError(f"no {part} link in {mail.text}")


def newest_link(app: Flask, part: str) -> str:
    """Return the link of the newest mail whose address has ``part`` in it."""
    return link_in(mails(app)[0], part)


def make_user(app: Flask, email: str = EMAIL, password: str = PASSWORD, **values: Any) -> int:
    """Put a user into the database, confirmed unless told otherwise; return the id."""
    with app.app_context():
        user = User(email=email, password_hash=hashed(password))
        if values.pop("confirmed", True):
            user.confirm_email()
        for name, value in values.items():
            setattr(user, name, value)
        db.session.add(user)
        db.session.commit()
        return user.id


def user_named(app: Flask, email: str = EMAIL) -> User:
    """Return the user as the database has it now."""
    with app.app_context():
        user = service.find(email)
        assert user is not None
        db.session.refresh(user)
        db.session.expunge(user)
        return user


def log_in(
    client: FlaskClient, email: str = EMAIL, password: str = PASSWORD, **values: str
) -> TestResponse:
    """Sign in through the page."""
    return fill(client, "/login", email=email, password=password, **values)


def sign_up(
    client: FlaskClient, email: str = EMAIL, password: str = PASSWORD, query: str = ""
) -> TestResponse:
    """Ask for an account through the page."""
    return fill(client, f"/signup{query}", email=email, password=password)


def is_signed_in(client: FlaskClient) -> bool:
    """True when the account page shows itself."""
    return client.get("/settings/account").status_code == 200
