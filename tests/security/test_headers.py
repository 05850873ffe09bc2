"""Every answer carries the headers: pages, files, redirects, errors, for every address there is."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from saas import security
from saas.config import Settings
from saas.extensions import limiter
from tests.browsing import sign_in
from tests.security.routes import addresses

EXACT = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
STRICT = {"strict-origin-when-cross-origin", "no-referrer"}
PRODUCTION = {
    "app_env": "production",
    "base_url": "https://app.example.com",
    "polar_access_token": "polar_oat_x",
    "polar_api_url": "",
}


def check(answer: TestResponse) -> None:
    where = f"{answer.request.method} {answer.request.path} {answer.status_code}"
    for name, value in EXACT.items():
        assert answer.headers.getlist(name) == [value], (where, name)
    assert answer.headers["Referrer-Policy"] in STRICT, where
    assert "camera=()" in answer.headers["Permissions-Policy"], where
    [policy] = answer.headers.getlist("Content-Security-Policy")
    assert "default-src 'none'" in policy, where
    assert "unsafe" not in policy, where
    assert "frame-ancestors 'none'" in policy, where
    assert answer.headers["Cache-Control"], where
    assert "Access-Control-Allow-Origin" not in answer.headers, where
    if answer.get_data() and answer.status_code != 304:
        kind = answer.headers["Content-Type"]
        assert not kind.startswith("text/") or "utf-8" in kind, where


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE"])
def test_all_addresses_with_all_methods(app: Flask, client: FlaskClient, method: str) -> None:
    for url in addresses(app):
        limiter.reset()
        check(client.open(url, method=method))


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_no_other_site_may_read(app: Flask, origin: str) -> None:
    client, _ = sign_in(app)
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for method in ("GET", "OPTIONS", "POST"):
        for url in [*addresses(app), "/static/css/tokens.css", "/nowhere"]:
            limiter.reset()
            with client.open(url, method=method, headers=asked) as answer:
                names = [name for name, _ in answer.headers if name.startswith("Access-Control")]
                assert names == [], (method, url)


def test_all_pages_of_somebody_who_is_signed_in(app: Flask) -> None:
    client, _ = sign_in(app)
    for url in addresses(app, "GET"):
        limiter.reset()
        answer = client.get(url)
        check(answer)
        if not url.startswith(("/robots", "/sitemap", "/site.", "/healthz")):
            assert answer.headers["Cache-Control"] == "private, no-store", url


@pytest.mark.parametrize("url", ["/static/css/tokens.css", "/static/nothing.css", "/nowhere"])
def test_files_and_what_is_not_there(client: FlaskClient, url: str) -> None:
    with client.get(url) as answer:
        check(answer)


def test_errors_of_every_kind(make_app: Callable[..., Flask], clean: None) -> None:
    app = make_app()

    @app.get("/bug")
    def bug() -> str:
        raise RuntimeError

    client = app.test_client()
    expected = {
        400: client.post("/login", data={"email": "x"}, headers={"Accept": "application/json"}),
        404: client.get("/nowhere"),
        405: client.delete("/login"),
        413: client.post("/login", data=b"x" * 2**21),
        421: client.get("/", base_url="http://evil.example"),
        500: client.get("/bug"),
    }
    for status, answer in expected.items():
        assert answer.status_code in {status, 422}, status
        check(answer)


def test_the_answer_to_too_many_tries(client: FlaskClient) -> None:
    answers = [client.post("/checkout") for _ in range(21)]
    check(answers[-1])


def test_strict_transport_security_with_https_only(make_app: Callable[..., Flask]) -> None:
    def value(**changes: str) -> str | None:
        with make_app(**changes).test_client().get("/static/css/tokens.css") as answer:
            return answer.headers.get("Strict-Transport-Security")

    assert value() is None
    assert value(**PRODUCTION) == security.HSTS
    assert int(security.HSTS.split(";")[0].partition("=")[2]) >= 365 * 86_400


def test_strict_transport_security_on_every_kind_of_answer(make_app: Callable[..., Flask]) -> None:
    app = make_app(**PRODUCTION)

    @app.get("/bug")
    def bug() -> str:
        raise RuntimeError

    client = app.test_client()
    answers = {
        200: client.get("/login"),
        303: client.get("/dashboard"),
        307: client.get("/", headers={"Host": "www.app.example.com"}),
        400: client.post("/login"),
        404: client.get("/nowhere"),
        405: client.delete("/login"),
        413: client.post("/login", data=b"x" * 2**21),
        421: client.get("/", headers={"Host": "evil.example"}),
        500: client.get("/bug"),
    }
    assert {status: answer.status_code for status, answer in answers.items()} == {
        status: status for status in answers
    }
    for answer in answers.values():
        assert answer.headers.getlist("Strict-Transport-Security") == [security.HSTS]


@pytest.mark.parametrize("url", ["/", "/pricing", "/terms", "/privacy"])
def test_public_pages_are_asked_for_again_and_shared_with_nobody(
    client: FlaskClient, url: str
) -> None:
    answer = client.get(url)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in answer.headers["Vary"]


@pytest.mark.parametrize("url", ["/robots.txt", "/sitemap.xml", "/site.webmanifest"])
def test_what_machines_read_is_kept_for_an_hour(client: FlaskClient, url: str) -> None:
    assert client.get(url).headers["Cache-Control"] == "public, max-age=3600"
    assert "Set-Cookie" not in client.get(url).headers


@pytest.fixture
def cookies(make_app: Callable[..., Flask], clean: None) -> dict[str, str]:
    answer = _signed_in_answer(make_app(**PRODUCTION))
    return {line.partition("=")[0]: line for line in answer.headers.getlist("Set-Cookie")}


def _signed_in_answer(app: Flask) -> TestResponse:
    from tests.accounts.pages import log_in, make_user

    make_user(app, "bob@example.com")
    return log_in(app.test_client(), "bob@example.com", remember="y")


def test_cookies_in_production(cookies: dict[str, str]) -> None:
    assert set(cookies) == {"__Host-session", "__Host-remember"}
    for line in cookies.values():
        parts = {part.strip() for part in line.split(";")[1:]}
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= parts
        assert not any(part.lower().startswith("domain") for part in parts)


def test_development_over_http_needs_no_prefix(settings: Settings) -> None:
    names = settings.flask_config()
    assert (names["SESSION_COOKIE_NAME"], names["SESSION_COOKIE_SECURE"]) == ("session", False)
