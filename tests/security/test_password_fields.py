"""Passwords are typed hidden, pasted freely and checked as typed; nobody has one by default."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from saas.accounts.models import User
from saas.accounts.passwords import MAX_LENGTH, hash_password, matches, problem
from saas.extensions import db
from tests.accounts.pages import log_in, make_user, soup
from tests.security.routes import addresses

AUTOCOMPLETE = {"current-password", "new-password"}

pytestmark = pytest.mark.usefixtures("real_costs")


def test_every_password_field_of_every_page(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    visitor, seen = app.test_client(), 0
    log_in(client)
    for url in addresses(app, "GET"):
        for browser in (visitor, client):
            page = browser.get(url)
            if page.mimetype != "text/html":
                continue
            for field in soup(page).select("input[name*=password]"):
                seen += 1
                assert field["type"] == "password", url
                assert field.get("autocomplete") in AUTOCOMPLETE, url
                assert not field.get("maxlength"), url
                assert not field.get("readonly"), url
                assert not any(name.startswith("on") for name in field.attrs), url
    assert seen >= 5


@pytest.mark.parametrize(
    "other",
    ["Correct horse battery", "correct horse battery ", " correct horse battery", "correct horse"],
)
def test_case_blanks_and_length_count(other: str) -> None:
    assert not matches(hash_password("correct horse battery"), other)


def test_a_long_password_counts_to_its_end() -> None:
    long = "aB3 " * (MAX_LENGTH // 4)
    assert problem(long) is None
    assert not matches(hash_password(long), long[:-1] + "x")


def test_nobody_is_there_by_default(app: Flask) -> None:
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(User)) == 0


def test_no_page_asks_a_secret_question(app: Flask, client: FlaskClient) -> None:
    for url in ("/login", "/signup", "/forgot-password"):
        names = {str(field["name"]) for field in soup(client.get(url)).select("main input")}
        assert names <= {"csrf_token", "email", "password", "remember", "next"}
