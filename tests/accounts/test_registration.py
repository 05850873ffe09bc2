"""Signing up, through the pages."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, event, func, insert, select

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
    sign_up,
    soup,
    user_named,
)


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
    assert app.test_client().get(links[0]).status_code == 200  # The newest; who asks last, wins.
