"""Confirming the address, through the pages."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from saas.accounts import signals
from saas.accounts.models import User
from saas.extensions import db
from saas.kit.datetimes import utcnow
from tests.accounts.pages import (
    EMAIL,
    PASSWORD,
    alert,
    error_beside,
    fill,
    form_on,
    is_signed_in,
    link_in,
    mails,
    make_user,
    newest_link,
    press,
    sign_up,
    soup,
    user_named,
)

PASSWORD_ASKED = (
    "You signed up in another browser, so we make sure that it was you. Enter your password."
)


def test_confirmation_works_once(app: Flask, client: FlaskClient) -> None:
    sign_up(client)
    link = newest_link(app, "/confirm/")
    page = form_on(client.get(link))
    assert client.post(link, data=page.values).status_code == 303
    for answer in (
        client.get(link),
        client.post(link, data=form_on(client.get("/confirm")).values),
    ):
        assert answer.status_code == 410
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert soup(answer).select_one("main a[href^='/confirm']") is not None


def test_confirmation_expires_after_three_days(app: Flask, client: FlaskClient) -> None:
    sign_up(client)
    link = newest_link(app, "/confirm/")
    with time_machine.travel(utcnow() + timedelta(days=2, hours=23), tick=False):
        assert client.get(link).status_code == 200
    with time_machine.travel(utcnow() + timedelta(days=3, minutes=1), tick=False):
        assert client.get(link).status_code == 410


@pytest.mark.parametrize("token", ["x", "a.b.c", "%ff", "é", "A" * 5000])
def test_nonsense_for_a_token_is_gone(client: FlaskClient, token: str) -> None:
    assert client.get(f"/confirm/{token}").status_code == 410
    assert client.get(f"/reset-password/{token}").status_code == 410


def test_a_reset_link_does_not_confirm(app: Flask, client: FlaskClient) -> None:
    sign_up(client)
    fill(client, "/forgot-password", email=EMAIL)
    token = newest_link(app, "/reset-password/").rsplit("/", 1)[1]
    assert client.get(f"/confirm/{token}").status_code == 410
    assert client.get(f"/reset-password/{token}").status_code == 200


def test_the_link_of_a_deleted_user_is_gone(app: Flask, client: FlaskClient) -> None:
    sign_up(client)
    link = newest_link(app, "/confirm/")
    with app.app_context():
        db.session.execute(User.__table__.delete())
        db.session.commit()
    assert client.get(link).status_code == 410


def test_confirmation_needs_its_own_csrf_token(app: Flask, client: FlaskClient) -> None:
    sign_up(client)
    link = newest_link(app, "/confirm/")
    answer = client.post(link, data={})
    assert answer.status_code == 422
    assert "Send the form again." in alert(answer)
    assert not user_named(app).has_confirmed_email
    assert client.post(link, data=form_on(answer).values).status_code == 303


def test_confirmation_page_keeps_its_address_secret(app: Flask, client: FlaskClient) -> None:
    sign_up(client)
    page = client.get(newest_link(app, "/confirm/"))
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page.headers["Cache-Control"]


def test_confirmation_works_over_https_without_a_referrer(app: Flask, client: FlaskClient) -> None:
    sign_up(client)
    link = newest_link(app, "/confirm/")
    secure = {"base_url": "https://127.0.0.1"}
    form = form_on(client.get(link, **secure))
    assert client.post(link, data=form.values, **secure).status_code == 303


def test_confirmation_request_for_each_kind_of_address(app: Flask, client: FlaskClient) -> None:
    make_user(app, "waiting@example.com", confirmed=False)
    make_user(app, "done@example.com")
    subjects = {}
    for email in ("waiting@example.com", "done@example.com", "nobody@example.com"):
        answer = fill(client, "/confirm", email=email)
        assert (answer.status_code, answer.location) == (303, "/signup/sent")
        assert mails(app)[0].recipient == email
        subjects[email] = mails(app)[0].subject
    assert "Confirm your address" in subjects["waiting@example.com"]
    assert "already have an account" in subjects["done@example.com"]
    assert "No account" in subjects["nobody@example.com"]
    link = link_in(mails(app)[2], "/confirm/")
    assert fill(client, link, password=PASSWORD).status_code == 303


def test_a_stranger_who_signs_up_with_your_address_gets_nothing(app: Flask) -> None:
    """Both mails are in the inbox; whichever link is pressed, no account opens with their password."""
    owner, stranger = app.test_client(), app.test_client()
    sign_up(owner)
    fill(stranger, "/signup", email=EMAIL, password="the stranger's choice")
    theirs = newest_link(app, "/confirm/")
    assert owner.get(link_in(mails(app)[1], "/confirm/")).status_code == 410
    answer = fill(owner, theirs, password=PASSWORD)
    assert answer.status_code == 422
    assert "choose a new one" in error_beside(answer, "password")
    assert soup(answer).select_one('a[href^="/forgot-password"]') is not None
    login = fill(stranger, "/login", email=EMAIL, password="the stranger's choice")
    assert login.status_code == 422
    assert not user_named(app).has_confirmed_email


def test_another_browser_has_to_know_the_password(app: Flask, client: FlaskClient) -> None:
    sign_up(client)
    link, phone = newest_link(app, "/confirm/"), app.test_client()
    assert 'type="password"' not in client.get(link).text
    assert error_beside(press(phone, link), "password") == PASSWORD_ASKED
    assert fill(phone, link, password="a guess").status_code == 422
    assert fill(phone, link, password=PASSWORD).status_code == 303
    assert is_signed_in(phone)


def test_guesses_with_a_link_are_limited(app: Flask, client: FlaskClient) -> None:
    sign_up(client)
    link, other = newest_link(app, "/confirm/"), app.test_client()
    answers = [fill(other, link, password="a guess").status_code for _ in range(5)]
    assert answers == [422] * 5
    values = form_on(other.get(link)).values
    assert other.post(link, data=values).status_code == 429


def test_confirmation_request_refuses_what_is_no_address(client: FlaskClient) -> None:
    answer = fill(client, "/confirm", email="ada at example")
    assert answer.status_code == 422
    assert "not a complete" in error_beside(answer, "email")
    assert form_on(answer).values["email"] == "ada at example"


def test_signals_follow_the_commit(app: Flask, client: FlaskClient) -> None:
    heard: list[tuple[str, str, bool]] = []

    def listen(name: str):
        def receiver(user: User) -> None:
            db.session.rollback()  # Only what is committed is left after this.
            heard.append((name, user.email, user.has_confirmed_email))

        return receiver

    registered, confirmed = listen("registered"), listen("confirmed")
    signals.user_registered.connect(registered)
    signals.email_confirmed.connect(confirmed)
    try:
        sign_up(client)
        sign_up(client)
        press(client, newest_link(app, "/confirm/"))
    finally:
        signals.user_registered.disconnect(registered)
        signals.email_confirmed.disconnect(confirmed)
    assert heard == [("registered", EMAIL, False), ("confirmed", EMAIL, True)]


def test_a_receiver_that_fails_does_not_stop_anybody(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(user: User) -> None:
        raise RuntimeError("no")

    signals.email_confirmed.connect(broken)
    try:
        sign_up(client)
        assert press(client, newest_link(app, "/confirm/")).status_code == 303
    finally:
        signals.email_confirmed.disconnect(broken)
    assert is_signed_in(client)
    assert "email-confirmed" in caplog.text
    assert EMAIL not in caplog.text


def test_one_link_pressed_by_many_works_once(app: Flask) -> None:
    make_user(app, confirmed=False)
    fill(app.test_client(), "/confirm", email=EMAIL)
    link = newest_link(app, "/confirm/")
    clients = [app.test_client() for _ in range(4)]
    forms = [form_on(one.get(link)) for one in clients]
    with ThreadPoolExecutor(len(clients)) as pool:
        answers = pool.map(
            lambda one, form: one.post(link, data=form.values | {"password": PASSWORD}),
            clients,
            forms,
        )
    assert sorted(answer.status_code for answer in answers) == [303, 410, 410, 410]
