"""Forgotten passwords, through the pages."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from saas.accounts import signals
from saas.accounts.models import User
from saas.kit.datetimes import utcnow
from tests.accounts.pages import (
    DASHBOARD,
    EMAIL,
    NEW_PASSWORD,
    PASSWORD,
    error_beside,
    fill,
    form_on,
    is_signed_in,
    log_in,
    mails,
    make_user,
    newest_link,
    soup,
    token_of,
    user_named,
)


def ask(client: FlaskClient, email: str = EMAIL, query: str = "") -> None:
    answer = fill(client, f"/forgot-password{query}", email=email)
    assert answer.status_code == 303
    assert answer.location == f"/forgot-password/sent{query}"
    assert "Check your inbox" in client.get(answer.location).text


def test_ask_choose_and_arrive(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    elsewhere = app.test_client()
    log_in(elsewhere, remember="y")
    ask(client)
    link = newest_link(app, "/reset-password/")
    page = client.get(link)
    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert form_on(page).tag.select_one("#password")["autocomplete"] == "new-password"
    answer = fill(client, link, password=NEW_PASSWORD)
    assert (answer.status_code, answer.location) == (303, DASHBOARD)
    assert is_signed_in(client)
    assert not is_signed_in(elsewhere)
    assert "was changed" in mails(app)[0].subject
    assert log_in(app.test_client(), password=PASSWORD).status_code == 422
    assert log_in(app.test_client(), password=NEW_PASSWORD).status_code == 303


def test_every_address_is_answered_alike(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    ask(client)
    assert "Choose a new password" in mails(app)[0].subject
    ask(client, "nobody@example.com")
    assert mails(app)[0].recipient == "nobody@example.com"
    assert "No account" in mails(app)[0].subject


def test_what_is_no_address_is_refused(app: Flask, client: FlaskClient) -> None:
    answer = fill(client, "/forgot-password", email="ada@")
    assert answer.status_code == 422
    assert "not a complete" in error_beside(answer, "email")
    assert mails(app) == []


def test_a_link_works_once(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    ask(client)
    link = newest_link(app, "/reset-password/")
    values = form_on(client.get(link)).values
    assert client.post(link, data={**values, "password": NEW_PASSWORD}).status_code == 303
    data = {"csrf_token": token_of(client), "password": "a third password"}
    for answer in (client.get(link), client.post(link, data=data)):
        assert answer.status_code == 410
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert soup(answer).select_one("main a[href='/forgot-password']") is not None
    assert log_in(app.test_client(), password=NEW_PASSWORD).status_code == 303


def test_a_newer_link_ends_the_older(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    ask(client)
    older = newest_link(app, "/reset-password/")
    ask(client)
    assert client.get(older).status_code == 410
    assert client.get(newest_link(app, "/reset-password/")).status_code == 200


def test_a_link_expires_after_an_hour(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    ask(client)
    link = newest_link(app, "/reset-password/")
    with time_machine.travel(utcnow() + timedelta(minutes=59), tick=False):
        assert client.get(link).status_code == 200
    with time_machine.travel(utcnow() + timedelta(minutes=61), tick=False):
        assert client.get(link).status_code == 410


def test_changing_the_password_ends_the_link(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    ask(client)
    link = newest_link(app, "/reset-password/")
    log_in(client)
    fill(client, "/settings/password", current_password=PASSWORD, password=NEW_PASSWORD)
    assert client.get(link).status_code == 410


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "Choose a new password."),
        ("short12", "at least 8 characters"),
        ("password1", "first that anybody would try"),
        (EMAIL, "too easy to guess"),
    ],
)
def test_a_bad_password_leaves_the_link_alive(
    app: Flask, client: FlaskClient, password: str, sentence: str
) -> None:
    make_user(app)
    ask(client)
    link = newest_link(app, "/reset-password/")
    answer = fill(client, link, password=password)
    assert answer.status_code == 422
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert sentence in error_beside(answer, "password")
    assert fill(client, link, password=NEW_PASSWORD).status_code == 303


def test_resetting_confirms_the_address(app: Flask, client: FlaskClient) -> None:
    make_user(app, confirmed=False, password="the squatter was here")
    heard = []

    def listen(user: User) -> None:
        heard.append(user.email)

    signals.email_confirmed.connect(listen)
    try:
        for password in (NEW_PASSWORD, PASSWORD):
            ask(client)
            fill(client, newest_link(app, "/reset-password/"), password=password)
    finally:
        signals.email_confirmed.disconnect(listen)
    assert heard == [EMAIL], "told once, not at every reset"
    assert user_named(app).has_confirmed_email


def test_resetting_needs_its_own_csrf_token(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    ask(client)
    link = newest_link(app, "/reset-password/")
    assert client.post(link, data={"password": NEW_PASSWORD}).status_code == 422
    assert log_in(app.test_client()).status_code == 303


def test_resetting_works_over_https_without_a_referrer(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    ask(client)
    link = newest_link(app, "/reset-password/")
    secure = {"base_url": "https://127.0.0.1"}
    data = {**form_on(client.get(link, **secure)).values, "password": NEW_PASSWORD}
    assert client.post(link, data=data, **secure).status_code == 303


def test_next_goes_all_the_way(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    ask(client, query="?next=/pricing")
    link = newest_link(app, "/reset-password/")
    assert fill(client, link, password=NEW_PASSWORD).location == "/pricing"
