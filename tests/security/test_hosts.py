"""Requests for another host are not answered, and no address is ever made from one."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from saas.config import Settings
from saas.config.hosts import Hosts, host_name
from tests.accounts.pages import EMAIL, PASSWORD, fill, mails, make_user, sign_up
from tests.browsing import sign_in
from tests.fuzz.inputs import NASTY, encoded
from tests.security.routes import addresses
from tests.security.test_headers import PRODUCTION

FOREIGN = [
    "evil.example",
    "app.example.com.evil.example",
    "evilapp.example.com",
    "app.example.com@evil.example",
    "evil.example/app.example.com",
    "evil.example#app.example.com",
    "127.0.0.1",
    "localhost",
    "app.example.com:x",
    "[::1",
    "",
    "..",
]
POISON = {
    "X-Forwarded-Host": "evil.example",
    "X-Host": "evil.example",
    "X-Original-Host": "evil.example",
    "X-Forwarded-Server": "evil.example",
    "X-HTTP-Host-Override": "evil.example",
    "Forwarded": "host=evil.example;proto=https",
}


@pytest.mark.parametrize("host", FOREIGN)
def test_a_foreign_host_is_refused(make_app: Callable[..., Flask], clean: None, host: str) -> None:
    client = make_app(**PRODUCTION).test_client()
    for method, url in (("GET", "/"), ("POST", "/login"), ("GET", "/nowhere")):
        answer = client.open(url, method=method, headers={"Host": host})
        assert answer.status_code in {400, 421}, (method, url)
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("host", ["app.example.com", "APP.example.com:443", "app.example.com."])
def test_our_own_host_in_any_spelling(make_app: Callable[..., Flask], host: str) -> None:
    client = make_app(**PRODUCTION).test_client()
    assert client.get("/login", headers={"Host": host}).status_code == 200


def test_load_balancers_may_ask_by_number(make_app: Callable[..., Flask]) -> None:
    client = make_app(**PRODUCTION).test_client()
    assert client.get("/healthz", headers={"Host": "10.0.0.7:8000"}).status_code == 200


@pytest.mark.parametrize(
    "url", ["/healthzfoo", "/readyz/", "/metricsx", "/webhooks/", "/webhooks/zzz", "/static/no.css"]
)
def test_nothing_but_that_is_answered_under_any_name(
    make_app: Callable[..., Flask], url: str
) -> None:
    client = make_app(**PRODUCTION).test_client()
    assert client.get(url, headers={"Host": "10.0.0.7:8000"}).status_code == 421


def test_webhooks_are_known_by_their_signature(make_app: Callable[..., Flask]) -> None:
    client = make_app(**PRODUCTION).test_client()
    answer = client.post("/webhooks/polar", headers={"Host": "a-tunnel.example"}, data=b"{}")
    assert answer.status_code == 403  # Not 421: a wrong name in front must not cost deliveries.


def test_allowed_hosts(make_app: Callable[..., Flask]) -> None:
    client = make_app(
        **PRODUCTION, allowed_hosts=("other.example", ".tunnel.example")
    ).test_client()
    for host, status in {
        "other.example": 200,
        "a.tunnel.example": 200,
        "tunnel.example": 421,
        "x.other.example": 421,
    }.items():
        assert client.get("/login", headers={"Host": host}).status_code == status, host


def test_www_leads_to_the_name_without_and_back(make_app: Callable[..., Flask]) -> None:
    for base, host in {
        "https://example.com": "www.example.com",
        "https://www.a.com": "a.com",
    }.items():
        client = make_app(**PRODUCTION | {"base_url": base}).test_client()
        answer = client.get("/pricing?interval=year", headers={"Host": host})
        assert (answer.status_code, answer.location) == (307, f"{base}/pricing?interval=year")
        assert client.post("/login", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:8000", "[::1]:8000", "127.0.0.2:8000"])
def test_in_development_the_names_of_this_machine_lead_to_one(
    client: FlaskClient, host: str
) -> None:
    answer = client.get("/pricing", headers={"Host": host})
    assert (answer.status_code, answer.location) == (307, "http://127.0.0.1:8000/pricing")


@pytest.mark.parametrize("text", NASTY)
def test_a_redirect_to_our_name_is_quoted(make_app: Callable[..., Flask], text: str) -> None:
    client = make_app(**PRODUCTION).test_client()
    path, query = "/x" + encoded(text), encoded(text, safe="&=/?")
    answer = client.get(f"{path}?{query}", headers={"Host": "www.app.example.com"})
    assert answer.status_code == 307
    assert "Set-Cookie" not in answer.headers
    there = urlsplit(answer.location)
    assert answer.location.startswith("https://app.example.com/")
    assert unquote(there.path) == unquote(path)
    assert parse_qsl(there.query, True) == parse_qsl(query, True)


def test_a_redirect_never_leads_to_another_site(client: FlaskClient) -> None:
    for path in ("//evil.example", "/%2f/evil.example", "/\\evil.example"):
        answer = client.get(path, headers={"Host": "localhost:8000"})
        if answer.status_code in {301, 302, 303, 307, 308}:
            assert answer.location.startswith("http://127.0.0.1:8000/"), path


@pytest.mark.parametrize("proxies", [0, 1])
def test_no_redirect_is_made_from_a_header(
    make_app: Callable[..., Flask], clean: None, proxies: int
) -> None:
    app = make_app(trusted_proxies=proxies)
    client, _ = sign_in(app)
    for url in addresses(app, "GET"):
        answer = client.get(url, headers=POISON)
        assert "evil.example" not in answer.text + str(answer.headers), url


@pytest.mark.parametrize("url", ["/forgot-password", "/confirm", "/signup"])
def test_no_mail_is_made_from_a_header(app: Flask, client: FlaskClient, url: str) -> None:
    values: dict[str, Any] = {"email": EMAIL, "password": PASSWORD}
    for confirmed in (True, False):
        make_user(app, f"{confirmed}@example.com".lower(), confirmed=confirmed)
        values["email"] = f"{confirmed}@example.com".lower()
        client.environ_base |= {f"HTTP_{k.upper().replace('-', '_')}": v for k, v in POISON.items()}
        fill(client, url, **{k: v for k, v in values.items() if url == "/signup" or k == "email"})
        mail = mails(app)[0]
        assert "http://127.0.0.1:8000/" in mail.text
        assert "evil.example" not in mail.text + mail.html


@pytest.mark.parametrize("proxies", [0, 1])
def test_no_proxy_names_another_host(make_app: Callable[..., Flask], proxies: int) -> None:
    """A proxy passes Host on; what a visitor claims beside it can then go through unseen."""
    client = make_app(**PRODUCTION, trusted_proxies=proxies).test_client()
    named = {"Host": "evil.example", "X-Forwarded-Host": "app.example.com"}
    assert client.get("/login", headers=named).status_code == 421


def test_hosts_in_production_have_no_loopback_names() -> None:
    hosts = Hosts.of(Settings(app_env="production", base_url="http://127.0.0.1:8000"))
    assert hosts.are_ours("127.0.0.1:8000")
    assert not hosts.are_another_name("localhost:8000")


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("a.b:80", "a.b"),
        ("A.B.", "a.b"),
        ("[::1]:80", "::1"),
        ("a:b", ""),
        ("a@b", ""),
        ("a/b", ""),
    ],
)
def test_name_in_a_host_header(host: str, name: str) -> None:
    assert host_name(host) == name


def test_sign_up_mail_of_a_new_address(app: Flask, client: FlaskClient) -> None:
    client.environ_base |= {"HTTP_X_FORWARDED_HOST": "evil.example"}
    sign_up(client)
    assert "http://127.0.0.1:8000/confirm/" in mails(app)[0].text
