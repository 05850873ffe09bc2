"""Signing in and out, through the pages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete

from saas.accounts import passwords
from saas.accounts.models import User
from saas.accounts.sessions import login_required, require_user
from saas.extensions import db
from saas.kit.datetimes import utcnow
from tests.accounts.pages import (
    DASHBOARD,
    EMAIL,
    NEW_PASSWORD,
    PASSWORD,
    alert,
    error_beside,
    fill,
    form_on,
    is_signed_in,
    log_in,
    make_user,
    soup,
    token_of,
    user_named,
)

REFUSED = "Address and password do not match, or the address is not confirmed yet."


def test_sign_in_and_out(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    answer = log_in(client, "  Ada@Example.COM ")
    assert (answer.status_code, answer.location) == (303, DASHBOARD)
    assert is_signed_in(client)
    answer = client.post("/logout", data={"csrf_token": csrf_of_settings(client)})
    assert (answer.status_code, answer.location) == (303, "/")
    assert "You are signed out." in client.get("/").text
    assert not is_signed_in(client)


def csrf_of_settings(client: FlaskClient) -> str:
    return form_on(client.get("/settings/account")).values["csrf_token"]


def test_form_has_the_right_attributes(client: FlaskClient) -> None:
    form = form_on(client.get("/login")).tag
    assert form.select_one("#email")["autocomplete"] == "username"
    assert form.select_one("#password")["autocomplete"] == "current-password"


def test_three_refusals_are_one(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    make_user(app, "waiting@example.com", confirmed=False)
    pages = []
    for email, password in (
        (EMAIL, "not the password"),
        ("nobody@example.com", PASSWORD),
        ("waiting@example.com", PASSWORD),
        ("not an address", PASSWORD),
        (EMAIL, "x" * 100_000),
    ):
        answer = log_in(client, email, password)
        assert answer.status_code == 422
        assert REFUSED in alert(answer)
        assert form_on(answer).values["email"] == email
        assert form_on(answer).values["password"] == ""
        token = form_on(answer).values["csrf_token"]
        pages.append(answer.text.replace(token, "").replace(email, ""))
        links = {link["href"] for link in soup(answer).select("main a[href]")}
        assert {"/confirm", "/forgot-password"} <= links
    assert len(set(pages)) == 1
    assert not is_signed_in(client)


def test_empty_fields_are_named(client: FlaskClient) -> None:
    answer = log_in(client, "", "")
    assert answer.status_code == 422
    assert "Enter your e-mail address." in error_beside(answer, "email")
    assert "Enter your password." in error_beside(answer, "password")


def test_without_csrf_token_nothing_happens(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    answer = client.post("/login", data={"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 400
    assert not is_signed_in(client)
    log_in(client)
    assert client.post("/logout").status_code == 400
    assert is_signed_in(client)


def test_signing_out_is_a_post(client: FlaskClient) -> None:
    assert client.get("/logout").status_code == 405


def test_a_visitor_can_sign_out_too(client: FlaskClient) -> None:
    assert client.post("/logout", data={"csrf_token": token_of(client)}).status_code == 303


def test_unicode_of_the_password_is_normalised(app: Flask, client: FlaskClient) -> None:
    make_user(app, password="cafe\u0301 \ufb01nale")
    assert log_in(client, password="caf\u00e9 finale").status_code == 303


def test_remember_me_lasts_thirty_days(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    answer = log_in(client, remember="y")
    cookie = client.get_cookie("remember")
    assert cookie is not None
    days = (cookie.expires - datetime.now(UTC)).total_seconds() / 86_400
    assert 29.9 < days < 30.1
    header = next(h for h in answer.headers.getlist("Set-Cookie") if h.startswith("remember"))
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    client.delete_cookie("session")  # The browser was closed.
    assert is_signed_in(client)
    with time_machine.travel(utcnow() + timedelta(days=31)):
        client.delete_cookie("session")
        assert not is_signed_in(client)


def test_a_machine_whose_clock_is_behind_knows_who_is_signed_in(
    app: Flask, client: FlaskClient
) -> None:
    make_user(app)
    log_in(client)
    with time_machine.travel(utcnow() - timedelta(seconds=2)):
        assert is_signed_in(client)


def test_without_remember_me_closing_the_browser_signs_out(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    log_in(client)
    assert client.get_cookie("remember") is None
    client.delete_cookie("session")
    assert not is_signed_in(client)


def test_signing_out_forgets_what_was_remembered(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    log_in(client, remember="y")
    client.post("/logout", data={"csrf_token": csrf_of_settings(client)})
    assert client.get_cookie("remember") is None
    assert not is_signed_in(client)


def test_somebody_else_on_the_same_browser(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    make_user(app, "bob@example.com")
    log_in(client, remember="y")
    data = {"email": "bob@example.com", "password": PASSWORD, "csrf_token": token_of(client)}
    assert client.post("/login", data=data).status_code == 303
    assert client.get_cookie("remember") is None
    assert "bob@example.com" in client.get("/settings/account").text


@pytest.mark.parametrize(
    ("target", "arrived"),
    [
        ("/pricing", "/pricing"),
        ("/pricing?x=1&y=2", "/pricing?x=1&y=2"),
        ("https://evil.example/", DASHBOARD),
        ("//evil.example/", DASHBOARD),
        ("/\\evil.example", DASHBOARD),
        ("/\t/evil.example", DASHBOARD),
        ("", DASHBOARD),
    ],
)
def test_next_is_checked(app: Flask, client: FlaskClient, target: str, arrived: str) -> None:
    make_user(app)
    data = {"email": EMAIL, "password": PASSWORD, "csrf_token": token_of(client)}
    answer = client.post("/login", query_string={"next": target}, data=data)
    assert (answer.status_code, answer.location) == (303, arrived)
    assert client.get("/login", query_string={"next": target}).location == arrived


def test_a_page_too_long_to_come_back_to_is_forgotten(client: FlaskClient) -> None:
    answer = client.get(f"/dashboard?x={'%20' * 900}")
    assert answer.headers["Location"] == "/login"


def test_next_survives_a_refusal(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    answer = fill(client, "/login?next=/pricing", email=EMAIL, password="not the password")
    assert form_on(answer).values["next"] == "/pricing"
    hrefs = {link["href"] for link in soup(answer).select("main a[href]")}
    assert {"/signup?next=/pricing", "/forgot-password?next=/pricing"} <= hrefs


@pytest.mark.parametrize("url", ["/settings/account", "/settings/password", DASHBOARD])
def test_visitors_are_asked_to_sign_in_and_come_back(
    app: Flask, client: FlaskClient, url: str
) -> None:
    make_user(app)
    answer = client.get(url)
    assert answer.status_code == 303
    assert answer.location == f"/login?next={url}"
    assert "Sign in to go on." in client.get(answer.location).text
    assert fill(client, answer.location, email=EMAIL, password=PASSWORD).location == url


def test_visitors_who_post_come_back_to_no_form_target(client: FlaskClient) -> None:
    answer = client.post("/settings/password", data={"csrf_token": token_of(client)})
    assert (answer.status_code, answer.location) == (303, "/login")


def test_json_clients_get_a_401(client: FlaskClient) -> None:
    answer = client.get("/settings/account", headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert answer.json["error"]["code"] == "unauthorized"


def test_a_new_key_ends_every_session(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    other = app.test_client()
    log_in(client, remember="y")
    log_in(other)
    fill(client, "/settings/password", current_password=PASSWORD, password=NEW_PASSWORD)
    assert is_signed_in(client)
    assert not is_signed_in(other)


@pytest.mark.usefixtures("real_costs")
def test_old_hashes_are_renewed_at_sign_in(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    user_id = make_user(app, "old@example.com", password_hash=weak)
    assert log_in(client, "old@example.com", "not the password").status_code == 422
    assert user_named(app, "old@example.com").password_hash == weak
    assert log_in(client, "old@example.com").status_code == 303
    user = user_named(app, "old@example.com")
    assert user.id == user_id
    assert not passwords.needs_rehash(user.password_hash)
    assert passwords.matches(user.password_hash, PASSWORD)


def test_a_planted_session_is_worth_nothing(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    client.get("/login")
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
        session["pending_checkout"] = "chosen before"
        csrf_before = session["csrf_token"]
    log_in(client)
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf_token") != csrf_before
        assert session["pending_checkout"] == "chosen before"


@pytest.mark.parametrize("cookie", ["remember=é|é", 'remember="1|\\303\\251"', "remember=1|x"])
def test_a_cookie_that_is_none_of_ours_remembers_nobody(app: Flask, cookie: str) -> None:
    client = app.test_client(use_cookies=False)
    as_sent = cookie.encode().decode("latin-1")
    answer = client.get("/dashboard", environ_overrides={"HTTP_COOKIE": as_sent})
    assert answer.headers["Location"] == "/login?next=/dashboard"


@pytest.mark.parametrize("looks_first", [True, False])
def test_account_deleted_by_another_tab_while_it_is_changed(
    make_app: Callable[..., Flask], clean: None, looks_first: bool
) -> None:
    app = make_app()

    @app.get("/rename")
    @login_required
    def rename() -> str:
        user = require_user()
        if looks_first:
            db.session.get(User, user.id)
            db.session.commit()
        with db.engine.begin() as other_tab:
            other_tab.execute(delete(User))
        user.email = "grace@example.com"
        db.session.commit()
        return "renamed"

    make_user(app)
    client = app.test_client()
    log_in(client)
    answer = client.get("/rename")
    assert (answer.status_code, answer.location) == (303, "/")
    assert "This account does not exist any more." in client.get("/").text
