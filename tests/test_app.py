"""The application as a whole: headers, static files, error pages, what production leaves out."""

import gzip
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

PUBLIC = [
    "/",
    "/pricing",
    "/login",
    "/signup",
    "/terms",
    "/privacy",
    "/forgot-password",
    "/confirm",
]
PRODUCTION = {
    "app_env": "production",
    "base_url": "https://app.example.com",
    "polar_access_token": "polar_oat_x",
    "polar_api_url": "",
    "mail_backend": "locmem",
}


@pytest.mark.parametrize("url", [*PUBLIC, "/nowhere", "/healthz", "/static/css/tokens.css"])
def test_every_answer_has_the_security_headers(client: FlaskClient, url: str) -> None:
    with client.get(url) as response:
        headers = response.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"]


def test_forms_may_lead_to_polars_pages_and_nowhere_else(
    make_app: Any, client: FlaskClient
) -> None:
    def form_action(client: FlaskClient) -> str:
        policy = client.get("/").headers["Content-Security-Policy"]
        return next(part for part in policy.split("; ") if part.startswith("form-action"))

    assert form_action(client) == "form-action 'self' http://127.0.0.1:9"
    production = make_app(**PRODUCTION).test_client()
    assert form_action(production) == "form-action 'self' https://polar.sh https://*.polar.sh"


def test_hashed_files_are_kept_for_ever(client: FlaskClient) -> None:
    html = client.get("/").text
    [url] = re.findall(r'rel="stylesheet" href="([^"]+)"', html)
    with client.get(url) as plain, client.get(url, headers={"Accept-Encoding": "gzip"}) as packed:
        assert plain.status_code == 200
        assert "immutable" in plain.headers["Cache-Control"]
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == plain.data
    with client.get("/static/css/tokens.css") as unhashed:
        assert "immutable" not in unhashed.headers["Cache-Control"]


@pytest.mark.parametrize(
    "url", ["/static/nothing.css", "/static/../.env", "/static/%2e%2e/.env", "/.env"]
)
def test_nothing_else_is_served(client: FlaskClient, url: str) -> None:
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("url", PUBLIC)
def test_pages_ask_nobody_else_for_anything(client: FlaskClient, url: str) -> None:
    html = client.get(url).text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', html)
    assert not re.findall(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", html)


def test_errors_are_pages_for_people_and_json_for_programs(client: FlaskClient) -> None:
    page = client.get("/nowhere")
    assert page.status_code == 404
    assert "<h1" in page.text
    answer = client.get("/nowhere", headers={"Accept": "application/json"})
    assert answer.get_json()["error"]["code"] == "not_found"
    assert client.delete("/login").status_code == 405


def test_a_bug_is_a_500_that_tells_nothing(make_app: Any, clean: None) -> None:
    app: Flask = make_app()

    @app.get("/bug")
    def bug() -> str:
        raise RuntimeError("the inner secret")

    response = app.test_client().get("/bug")
    assert response.status_code == 500
    assert "inner secret" not in response.text
    assert "<h1" in response.text


def test_a_page_stands_without_a_database(make_app: Any) -> None:
    app: Flask = make_app(database_url="sqlite:////nonexistent/folder/x.db")
    response = app.test_client().get("/pricing")
    assert response.status_code == 503
    assert "<h1" in response.text


def test_production_is_strict(make_app: Any, clean: None) -> None:
    app: Flask = make_app(**PRODUCTION)
    client = app.test_client()
    response = client.get("/login", base_url="https://app.example.com")
    assert response.headers["Strict-Transport-Security"]
    cookie = response.headers["Set-Cookie"]
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(re.split(r";\s*", cookie))
    assert client.get("/dev/outbox").status_code == 404
    assert "outbox" not in client.get("/").text
    assert "Test mode" not in client.get("/").text


def test_development_says_that_no_money_moves(client: FlaskClient) -> None:
    assert "No money moves" in client.get("/").text


def test_request_bodies_are_bounded(client: FlaskClient) -> None:
    assert client.post("/login", data=b"x" * (2 * 1024 * 1024)).status_code in {400, 413}
