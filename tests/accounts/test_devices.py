"""Signing out ends a session for good, here or from another browser; time ends it, too."""

import base64
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from saas.accounts import housekeeping, sign_ins
from saas.accounts.browsers import name_of
from saas.accounts.models import SignIn, User
from saas.extensions import db
from saas.kit.datetimes import utcnow
from tests.accounts.pages import (
    EMAIL,
    NEW_PASSWORD,
    PASSWORD,
    fill,
    form_on,
    is_signed_in,
    log_in,
    make_user,
    newest_link,
    soup,
    token_of,
)

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def ada(app: Flask, client: FlaskClient) -> FlaskClient:
    make_user(app)
    log_in(client)
    return client


def copy(app: Flask, client: FlaskClient) -> FlaskClient:
    """A thief's browser, with every cookie of this one."""
    thief = app.test_client()
    for name in ("session", "remember"):
        if cookie := client.get_cookie(name):
            thief.set_cookie(name, cookie.value)
    return thief


def another(app: Flask, **values: str) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = FIREFOX
    log_in(client, **values)
    return client


def press(client: FlaskClient, url: str) -> int:
    return client.post(url, data={"csrf_token": token_of(client)}).status_code


def count(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(SignIn)) or 0


@pytest.mark.parametrize("remember", ["y", ""])
def test_a_copied_cookie_dies_with_the_session(
    app: Flask, client: FlaskClient, remember: str
) -> None:
    make_user(app)
    log_in(client, **{"remember": remember} if remember else {})
    thief, other = copy(app, client), another(app)
    assert is_signed_in(thief)
    assert press(client, "/logout") == 303
    assert not is_signed_in(thief)
    thief.delete_cookie("session")
    assert not is_signed_in(thief)
    assert is_signed_in(other)


def test_signing_out_asks_the_browser_to_forget(ada: FlaskClient) -> None:
    answer = ada.post("/logout", data={"csrf_token": token_of(ada)})
    assert answer.headers["Clear-Site-Data"] == '"storage"'


def test_signing_in_again_ends_the_session_before(app: Flask, ada: FlaskClient) -> None:
    thief = copy(app, ada)
    data = {"email": EMAIL, "password": PASSWORD, "csrf_token": token_of(ada)}
    ada.post("/login", data=data)
    assert is_signed_in(ada)
    assert not is_signed_in(thief)


@pytest.mark.parametrize("way", ["change", "reset"])
def test_a_new_password_ends_them_all(app: Flask, ada: FlaskClient, way: str) -> None:
    thief, other = copy(app, ada), another(app, remember="y")
    if way == "change":
        fill(ada, "/settings/password", current_password=PASSWORD, password=NEW_PASSWORD)
    else:
        visitor = app.test_client()
        fill(visitor, "/forgot-password", email=EMAIL)
        fill(visitor, newest_link(app, "/reset-password/"), password=NEW_PASSWORD)
    assert not is_signed_in(thief)
    assert not is_signed_in(other)
    assert is_signed_in(ada) is (way == "change")


def test_deleting_the_account_ends_them_all(app: Flask, ada: FlaskClient) -> None:
    with app.app_context():
        db.session.delete(db.session.scalars(select(User)).one())
        db.session.commit()
    assert not is_signed_in(ada)
    assert count(app) == 0


def test_the_list_names_this_browser_and_the_others(app: Flask, ada: FlaskClient) -> None:
    another(app)
    bob = app.test_client()
    make_user(app, "bob@example.com")
    log_in(bob, "bob@example.com")
    rows = soup(ada.get("/settings/devices")).select('[data-testid="device"]')
    assert [("This browser" in row.text, "Firefox on Windows" in row.text) for row in rows] in (
        [(False, True), (True, False)],
    )


def test_one_other_browser_is_signed_out(app: Flask, ada: FlaskClient) -> None:
    other = another(app)
    row = soup(ada.get("/settings/devices")).select_one('[data-testid="device"]:not(:has(.badge))')
    assert row is not None
    assert press(ada, str(row.form["action"])) == 303  # type: ignore[index]
    assert not is_signed_in(other)
    assert is_signed_in(ada)


def test_all_others_are_signed_out(app: Flask, ada: FlaskClient) -> None:
    others = [another(app), another(app, remember="y"), copy(app, ada)]
    assert press(ada, "/settings/devices/others") == 303
    assert [is_signed_in(other) for other in others] == [
        False,
        False,
        True,
    ]  # The copy is this one.
    assert is_signed_in(ada)


def test_signing_this_one_out_from_the_list(app: Flask, ada: FlaskClient) -> None:
    form = form_on(ada.get("/settings/devices"))
    assert ada.post(form.action, data=form.values).location == "/"
    assert not is_signed_in(ada)


def test_nobody_elses_browser_is_signed_out(app: Flask, ada: FlaskClient) -> None:
    make_user(app, "bob@example.com")
    bob = app.test_client()
    log_in(bob, "bob@example.com")
    action = form_on(bob.get("/settings/devices")).action
    assert press(ada, action) == 303
    assert is_signed_in(bob)


@pytest.mark.parametrize("number", [2**31, 2**63, 10**40])
def test_no_browser_has_a_number_beyond_the_column(
    app: Flask, ada: FlaskClient, number: int
) -> None:
    token = token_of(ada)
    answer = ada.post(f"/settings/devices/{number}", data={"csrf_token": token})
    assert answer.status_code == 404


def test_an_unused_session_ends(app: Flask, ada: FlaskClient) -> None:
    with time_machine.travel(utcnow() + sign_ins.ORDINARY.unused + timedelta(minutes=1)):
        assert not is_signed_in(ada)


def test_a_used_session_goes_on_but_not_for_ever(app: Flask, ada: FlaskClient) -> None:
    start, step = utcnow(), timedelta(hours=20)
    moment = start
    while moment + step < start + sign_ins.ORDINARY.at_most:
        moment += step
        with time_machine.travel(moment):
            assert is_signed_in(ada), moment - start
    with time_machine.travel(start + sign_ins.ORDINARY.at_most + timedelta(minutes=1)):
        assert not is_signed_in(ada)


def test_a_remembered_one_ends_after_two_weeks_unused(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    log_in(client, remember="y")
    with time_machine.travel(utcnow() + timedelta(days=13)):
        client.delete_cookie("session")
        assert is_signed_in(client)
    with time_machine.travel(utcnow() + timedelta(days=28)):
        assert not is_signed_in(client)


def test_whoever_comes_back_later_with_both_cookies_is_a_visitor(
    app: Flask, client: FlaskClient
) -> None:
    """Both name the same sign-in, which is over: it is looked for twice."""
    make_user(app)
    log_in(client, remember="y")
    with app.app_context():
        db.session.execute(update(SignIn).values(seen_at=utcnow() - timedelta(days=20)))
        db.session.commit()
    assert client.get("/staff").status_code == 404
    assert not is_signed_in(client)


def test_what_is_over_is_forgotten(app: Flask, ada: FlaskClient) -> None:
    with time_machine.travel(utcnow() + timedelta(days=2)), app.app_context():
        make_user(app, "bob@example.com")
        log_in(app.test_client(), "bob@example.com")
        assert count(app) == 2
        housekeeping.prune()
    assert count(app) == 1


def test_the_cookie_is_signed_with_sha256(ada: FlaskClient) -> None:
    cookie = ada.get_cookie("session")
    assert cookie is not None
    signature = cookie.value.rpartition(".")[2]
    assert len(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))) == 256 // 8


def test_the_token_is_long_enough_and_new_each_time(app: Flask, ada: FlaskClient) -> None:
    tokens = []
    for client in (ada, another(app), another(app, remember="y")):
        with client.session_transaction() as session:
            tokens.append(session["_user_id"])
    assert len(set(tokens)) == 3
    for token in tokens:
        assert len(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))) * 8 >= 192


def test_the_database_alone_lets_nobody_in(app: Flask, ada: FlaskClient) -> None:
    with ada.session_transaction() as session:
        token = session["_user_id"]
    with app.app_context():
        row = db.session.scalars(select(SignIn)).one()
        assert token not in {row.token_digest, row.auth_key}


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537.36 Edg/140", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Safari/604", "Safari on iPhone"),
        ("<script>alert(1)</script>\x00", "An unknown browser"),
        ("", "An unknown browser"),
    ],
)
def test_browsers_in_words(user_agent: str, name: str) -> None:
    assert name_of(user_agent) == name
