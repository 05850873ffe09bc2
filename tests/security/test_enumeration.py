"""Whether an address has an account is told to its owner alone: not by text, status or headers.

Not by time either: ``tests/accounts/test_timing.py`` measures that.
"""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.accounts.pages import PASSWORD, fill, log_in, mails, make_user, token_of
from tests.browsing import without_token

OWN = {"Set-Cookie", "Content-Length", "X-Request-ID"}  # Different in every answer.
KNOWN, WAITING, UNKNOWN = "known@example.com", "waits@example.com", "nobody@example.com"


def shown(client: FlaskClient, url: str, email: str, password: str) -> tuple[int, str, str]:
    """What a stranger sees: status, headers and page, without their own address and token."""
    data = {"email": email, "password": password, "csrf_token": token_of(client)}
    answer = client.post(url, data=data)
    page = client.get(answer.location) if answer.location else answer
    headers = {k: v for k, v in answer.headers.items() if k not in OWN}
    text = without_token(page.text.replace(email, "EMAIL"))
    return answer.status_code, str(sorted(headers.items())), text


@pytest.mark.parametrize("url", ["/login", "/signup", "/confirm", "/forgot-password"])
def test_every_address_gets_the_same_answer(app: Flask, url: str) -> None:
    make_user(app, KNOWN)
    make_user(app, WAITING, confirmed=False)
    password = "not the password" if url == "/login" else PASSWORD
    answers = [
        shown(app.test_client(), url, email, password) for email in (KNOWN, WAITING, UNKNOWN)
    ]
    assert answers[0] == answers[1] == answers[2]


def test_the_right_password_of_an_unconfirmed_account_tells_nothing(app: Flask) -> None:
    make_user(app, WAITING, confirmed=False)
    right = shown(app.test_client(), "/login", WAITING, PASSWORD)
    assert right == shown(app.test_client(), "/login", UNKNOWN, PASSWORD)


@pytest.mark.parametrize("url", ["/signup", "/confirm", "/forgot-password"])
def test_each_address_gets_one_mail(app: Flask, client: FlaskClient, url: str) -> None:
    make_user(app, KNOWN)
    make_user(app, WAITING, confirmed=False)
    for email in (KNOWN, WAITING, UNKNOWN):
        values = {"email": email} | ({"password": PASSWORD} if url == "/signup" else {})
        fill(client, url, **values)
    assert sorted(mail.recipient for mail in mails(app)) == [KNOWN, UNKNOWN, WAITING]


def test_changing_to_a_taken_address_tells_nothing(app: Flask, client: FlaskClient) -> None:
    make_user(app, KNOWN)
    make_user(app)
    log_in(client)
    pages = []
    for email in (KNOWN, UNKNOWN):
        answer = fill(client, "/settings/email", email=email, password=PASSWORD)
        page = client.get(answer.location).text.replace(email, "EMAIL")
        pages.append((answer.status_code, answer.location, without_token(page)))
    assert pages[0] == pages[1]
