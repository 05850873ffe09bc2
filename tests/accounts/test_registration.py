"""Sign-up and confirmation, through the pages."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, event, func, insert, select

from saas.accounts import signals
from saas.accounts.models import User, new_auth_key, new_public_id
from saas.accounts.passwords import matches
from saas.extensions import db
from saas.kit.datetimes import utcnow
from tests.accounts.pages import (
    DASHBOARD,
    EMAIL,
    NEW_PASSWORD,
    PASSWORD,
    Form,
    alert,
    error_beside,
    fill,
    form_on,
    is_signed_in,
    link_in,
    log_in,
    mails,
    make_user,
    newest_link,
    press,
    soup,
    user_named,
)


def sign_up(client: FlaskClient, email: str = EMAIL, password: str = PASSWORD, query: str = ""):
    return fill(client, f"/signup{query}", email=email, password=password)


def test_signup_confirm_and_arrive(app: Flask, client: FlaskClient) -> None:
    answer = sign_up(client)
    assert (answer.status_code, answer.location) == (303, "/signup/sent")
    assert "Check your inbox" in client.get(answer.location).text
    assert not is_signed_in(client)
    assert not user_named(app).has_confirmed_email

    link = newest_link(app, "/confirm/")
    page = client.get(link)
    assert page.status_code == 200
    assert EMAIL in page.text
    assert not user_named(app).has_confirmed_email, "looking is not confirming"

    answer = press(client, link)
    assert (answer.status_code, answer.location) == (303, DASHBOARD)
    assert user_named(app).has_confirmed_email
    assert is_signed_in(client)


def test_form_has_the_right_attributes(client: FlaskClient) -> None:
    form = form_on(client.get("/signup")).tag
    email, password = form.select_one("#email"), form.select_one("#password")
    assert email["type"] == "email"
    assert email["autocomplete"] == "username"
    assert password["type"] == "password"
    assert password["autocomplete"] == "new-password"
    assert "value" not in password.attrs or not password["value"]
    assert form.select_one("script") is None


@pytest.mark.parametrize(
    ("email", "password", "field", "sentence"),
    [
        ("", PASSWORD, "email", "Enter your e-mail address."),
        ("ada", PASSWORD, "email", "not a complete e-mail address"),
        ("ada@localhost", PASSWORD, "email", "not a complete e-mail address"),
        ("ada@example.com\r\nBcc: eve@example.com", PASSWORD, "email", "not a complete"),
        (EMAIL, "", "password", "Choose a password."),
        (EMAIL, "short12", "password", "at least 8 characters"),
        (EMAIL, "x1" * 65, "password", "at most 128 characters"),
        (EMAIL, "Password123", "password", "first that anybody would try"),
        (EMAIL, "ADA@example.com", "password", "too easy to guess"),
    ],
)
def test_what_is_wrong_stands_beside_the_field(
    app: Flask, client: FlaskClient, email: str, password: str, field: str, sentence: str
) -> None:
    answer = sign_up(client, email, password)
    assert answer.status_code == 422
    assert sentence in error_beside(answer, field)
    assert sentence in alert(answer)
    kept = form_on(answer).values
    assert kept["email"] == email
    assert kept["password"] == ""
    assert mails(app) == []


def test_existing_address_is_answered_alike_and_told_by_mail(
    app: Flask, client: FlaskClient
) -> None:
    new = sign_up(client, "new@example.com")
    make_user(app)
    before = user_named(app)
    known = sign_up(client, EMAIL.upper(), NEW_PASSWORD)
    assert (known.status_code, known.location) == (new.status_code, new.location)
    mail = mails(app)[0]
    assert mail.recipient == EMAIL
    assert "already have an account" in mail.subject
    assert link_in(mail, "/login") == "/login"
    assert link_in(mail, "/forgot-password") == "/forgot-password"
    after = user_named(app)
    assert (after.password_hash, after.auth_key) == (before.password_hash, before.auth_key)


def test_signing_up_again_ends_the_older_link_and_password(app: Flask, client: FlaskClient) -> None:
    sign_up(client, password="the squatter was here")
    older = newest_link(app, "/confirm/")
    sign_up(client)
    newer = newest_link(app, "/confirm/")
    assert client.get(older).status_code == 410
    assert press(client, newer).status_code == 303
    user = user_named(app)
    assert matches(user.password_hash, PASSWORD)
    assert not matches(user.password_hash, "the squatter was here")
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(User)) == 1


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


@pytest.mark.parametrize("token", ["x", "a.b.c", "%00", "é", "A" * 5000])
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
    assert client.post(link, data={}).status_code == 422
    assert not user_named(app).has_confirmed_email


def test_confirmation_page_keeps_its_address_secret(app: Flask, client: FlaskClient) -> None:
    sign_up(client)
    page = client.get(newest_link(app, "/confirm/"))
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page.headers["Cache-Control"]


def test_confirmation_works_over_https_without_a_referrer(app: Flask, client: FlaskClient) -> None:
    sign_up(client)
    link = newest_link(app, "/confirm/")
    secure = {"base_url": "https://localhost"}
    form = form_on(client.get(link, **secure))
    assert client.post(link, data=form.values, **secure).status_code == 303


def test_next_goes_all_the_way(app: Flask, client: FlaskClient) -> None:
    answer = sign_up(client, query="?next=/pricing?plan%3Dpro")
    assert answer.location == "/signup/sent?next=/pricing?plan%3Dpro"
    again = soup(client.get(answer.location)).select_one("main a[href^='/confirm?']")
    assert again is not None
    fill(client, again["href"], email=EMAIL)
    link = newest_link(app, "/confirm/")
    assert press(client, link).location == "/pricing?plan=pro"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/" * 2000,
    ],
)
def test_next_never_leaves_the_site(app: Flask, client: FlaskClient, target: str) -> None:
    form = form_on(client.get("/signup", query_string={"next": target}))
    assert "next" not in form.values
    data = {**form.values, "email": EMAIL, "password": PASSWORD, "next": target}
    answer = client.post("/signup", data=data)
    assert answer.location == "/signup/sent"
    link = newest_link(app, "/confirm/")
    assert "next" not in link
    data = {**form_on(client.get(link)).values, "next": target}
    assert client.post(link, data=data).location == DASHBOARD


def test_signed_in_visitors_go_on(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    log_in(client)
    assert client.get("/signup").location == DASHBOARD
    assert client.get("/signup?next=/pricing").location == "/pricing"


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
    assert press(client, link).status_code == 303


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


def test_an_address_taken_between_look_and_insert(app: Flask, client: FlaskClient) -> None:
    overtaken = []

    def overtake(_mapper: object, connection: Connection, user: User) -> None:
        if not overtaken:
            overtaken.append(user.email)
            values = {"public_id": new_public_id(), "auth_key": new_auth_key(), "email": user.email}
            row = insert(User).values(password_hash="x", created_at=utcnow(), **values)
            connection.execute(row)

    event.listen(User, "before_insert", overtake)
    try:
        answer = sign_up(client)
    finally:
        event.remove(User, "before_insert", overtake)
    assert overtaken == [EMAIL]
    assert (answer.status_code, answer.location) == (303, "/signup/sent")
    assert press(client, newest_link(app, "/confirm/")).status_code == 303


def test_many_sign_ups_at_the_same_moment(app: Flask) -> None:
    clients = [app.test_client() for _ in range(4)]
    forms = [form_on(one.get("/signup")) for one in clients]

    def send(one: FlaskClient, form: Form) -> int:
        data = {**form.values, "email": EMAIL, "password": PASSWORD}
        return one.post("/signup", data=data).status_code

    with ThreadPoolExecutor(len(clients)) as pool:
        assert list(pool.map(send, clients, forms)) == [303] * len(clients)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(User)) == 1
    links = [link_in(mail, "/confirm/") for mail in mails(app)]
    assert len(links) == len(clients)
    assert [app.test_client().get(link).status_code for link in links].count(200) == 1


def test_one_link_pressed_by_many_works_once(app: Flask) -> None:
    make_user(app, confirmed=False)
    fill(app.test_client(), "/confirm", email=EMAIL)
    link = newest_link(app, "/confirm/")
    clients = [app.test_client() for _ in range(4)]
    forms = [form_on(one.get(link)) for one in clients]
    with ThreadPoolExecutor(len(clients)) as pool:
        answers = pool.map(lambda one, form: one.post(link, data=form.values), clients, forms)
    assert sorted(answer.status_code for answer in answers) == [303, 410, 410, 410]


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
