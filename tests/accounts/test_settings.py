"""The account page and changing the password, through the pages."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.accounts.pages import (
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
    user_named,
)


def test_settings_show_only_your_own_account(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    make_user(app, "bob@example.com")
    log_in(client)
    page = client.get("/settings/account")
    assert page.status_code == 200
    assert EMAIL in page.text
    assert "bob@example.com" not in page.text
    assert "no-store" in page.headers["Cache-Control"]


def test_change_password(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    log_in(client)
    before = user_named(app)
    answer = fill(client, "/settings/password", current_password=PASSWORD, password=NEW_PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/settings/account")
    assert "Your password is changed." in client.get(answer.location).text
    assert user_named(app).auth_key != before.auth_key
    mail = mails(app)[0]
    assert (mail.recipient, "was changed" in mail.subject) == (EMAIL, True)
    assert NEW_PASSWORD not in mail.text + mail.html
    assert log_in(app.test_client()).status_code == 422
    assert log_in(app.test_client(), password=NEW_PASSWORD).status_code == 303


def test_this_browser_stays_remembered(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    log_in(client, remember="y")
    fill(client, "/settings/password", current_password=PASSWORD, password=NEW_PASSWORD)
    client.delete_cookie("session")
    assert is_signed_in(client)


def test_form_has_the_right_attributes(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    log_in(client)
    form = form_on(client.get("/settings/password")).tag
    assert form.select_one("#current_password")["autocomplete"] == "current-password"
    assert form.select_one("#password")["autocomplete"] == "new-password"


@pytest.mark.parametrize(
    ("current", "new", "field", "sentence"),
    [
        ("", NEW_PASSWORD, "current_password", "Enter your current password."),
        ("not the password", NEW_PASSWORD, "current_password", "not your current password"),
        (PASSWORD, "", "password", "Choose a new password."),
        (PASSWORD, "short12", "password", "at least 8 characters"),
        (PASSWORD, EMAIL, "password", "too easy to guess"),
    ],
)
def test_what_is_wrong_stands_beside_the_field(
    app: Flask, client: FlaskClient, current: str, new: str, field: str, sentence: str
) -> None:
    make_user(app)
    log_in(client)
    answer = fill(client, "/settings/password", current_password=current, password=new)
    assert answer.status_code == 422
    assert sentence in error_beside(answer, field)
    kept = form_on(answer).values
    assert (kept["current_password"], kept["password"]) == ("", "")
    assert mails(app) == []
    assert log_in(app.test_client()).status_code == 303


def test_guessing_the_current_password_is_slowed_down(app: Flask, client: FlaskClient) -> None:
    make_user(app)
    log_in(client)
    answers = [
        fill(client, "/settings/password", current_password=f"guess {n}", password=NEW_PASSWORD)
        for n in range(6)
    ]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
