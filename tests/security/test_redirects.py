"""A redirect leads to a page of ours, whatever ``next`` says, or to Polar."""

from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.accounts.pages import (
    DASHBOARD,
    EMAIL,
    PASSWORD,
    log_in,
    make_user,
    newest_link,
    press,
    sign_up,
    token_of,
)

HERE = "http://127.0.0.1:8000"
ELSEWHERE = [
    "https://evil.example/",
    "http:evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "\x0b//evil.example",
    " //evil.example",
    "\u3000//evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "evil.example",
    ".evil.example",
    "@evil.example",
    "?next=//evil.example",
    "#//evil.example",
    "/%5cevil.example\\",
    "http://127.0.0.1:8000@evil.example/",
    "http://127.0.0.1:8000.evil.example/",
    "https://[::ffff:evil]/",
    "http://[",
    "/pricing\r\nSet-Cookie: x=1",
    "/\u0000/evil.example",
    "x" * 5000,
]


def leads_here(location: str | None) -> bool:
    """Whether a browser that follows the address stays on this site."""
    if location is None:
        return True
    as_browsers_read = location.replace("\\", "/").replace("\t", "").replace("\n", "")
    parts = urlsplit(urljoin(HERE, as_browsers_read))
    return (parts.scheme, parts.netloc) == ("http", "127.0.0.1:8000")


@pytest.mark.parametrize("target", ELSEWHERE)
def test_signing_in_stays_here(app: Flask, client: FlaskClient, target: str) -> None:
    make_user(app)
    token = token_of(client)
    data = {"email": EMAIL, "password": PASSWORD, "csrf_token": token, "next": target}
    answers = [client.post("/login", data=data)]
    if answers[0].status_code == 400:  # A NUL in it; sign in without.
        log_in(client)
    answers.append(client.get("/login", query_string={"next": target}))
    answers.append(client.get("/signup", query_string={"next": target}))
    for answer in answers:
        assert leads_here(answer.location), answer.location
        assert answer.status_code in {303, 400}
        assert "\n" not in (answer.location or "")


@pytest.mark.parametrize("target", [*ELSEWHERE[:14], "javascript:alert(1)"])
def test_links_on_pages_stay_here(client: FlaskClient, target: str) -> None:
    for url in ("/login", "/signup", "/forgot-password", "/confirm", "/signup/sent"):
        page = client.get(url, query_string={"next": target}).text
        assert "evil.example" not in page
        assert "javascript:" not in page


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example"])
def test_the_way_through_the_mail_stays_here(app: Flask, client: FlaskClient, target: str) -> None:
    sign_up(client, query=f"?next={target}")
    link = newest_link(app, "/confirm/")
    assert "evil" not in link
    assert press(client, f"{link}?next={target}").location == DASHBOARD


@pytest.mark.parametrize("target", ["/pricing", "/pricing?a=b&c=d", "/settings/billing#payments"])
def test_pages_of_ours_are_gone_on_to(app: Flask, client: FlaskClient, target: str) -> None:
    make_user(app)
    data = {"email": EMAIL, "password": PASSWORD, "csrf_token": token_of(client), "next": target}
    assert client.post("/login", data=data).location == target
