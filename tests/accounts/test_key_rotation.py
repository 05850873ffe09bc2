"""A new SECRET_KEY with the old one behind it: nobody is signed out, no link and no open form dies."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.accounts.pages import (
    EMAIL,
    PASSWORD,
    fill,
    is_signed_in,
    log_in,
    make_user,
    newest_link,
)
from tests.browsing import csrf_token

NEW = "another-key-for-tests-9876543210fedcba98765432"


@pytest.fixture
def rotated(app: Flask, make_app: Callable[..., Flask]) -> Flask:
    return make_app(secret_key=NEW, secret_key_fallbacks=(str(app.config["SECRET_KEY"]),))


@pytest.fixture
def replaced(app: Flask, make_app: Callable[..., Flask]) -> Flask:
    """The old key is thrown away: what must not work any more does not."""
    return make_app(secret_key=NEW)


def carry(cookies: FlaskClient, to: Flask, *names: str) -> FlaskClient:
    """A browser with the cookies of another one, or some of them, at another installation."""
    client = to.test_client()
    for name in names:
        cookie = cookies.get_cookie(name)
        assert cookie, name
        client.set_cookie(name, cookie.value)
    return client


@pytest.mark.parametrize("cookie", ["session", "remember"])
def test_who_is_signed_in_stays_so(
    app: Flask, rotated: Flask, replaced: Flask, cookie: str
) -> None:
    make_user(app)
    client = app.test_client()
    log_in(client, remember="y")
    assert is_signed_in(carry(client, rotated, cookie))
    assert not is_signed_in(carry(client, replaced, cookie))


def test_a_mailed_link_works(app: Flask, rotated: Flask, replaced: Flask) -> None:
    make_user(app)
    fill(app.test_client(), "/forgot-password", email=EMAIL)
    path = newest_link(app, "/reset-password/")
    assert rotated.test_client().get(path).status_code == 200
    assert replaced.test_client().get(path).status_code != 200


def test_a_form_that_was_open_can_be_sent(app: Flask, rotated: Flask, replaced: Flask) -> None:
    make_user(app)
    browser = app.test_client()
    form = {"email": "ada@example.com", "password": PASSWORD, "csrf_token": csrf_token(browser)}
    sent = carry(browser, rotated, "session").post("/login", data=form)
    assert sent.status_code == 303
    assert carry(browser, replaced, "session").post("/login", data=form).status_code != 303
