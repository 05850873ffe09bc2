"""The outbox page: in development only, and safe to look at."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from saas import mail
from tests.accounts.pages import EMAIL, fill, mails, soup

PASSWORD = "engine of analysis"


def test_an_empty_outbox_says_what_to_do(client: FlaskClient) -> None:
    page = client.get("/dev/outbox")
    assert page.status_code == 200
    assert "No mail yet" in page.text


def test_a_folder_that_does_not_exist_is_empty(
    clean: None, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    app = make_app(mail_outbox_dir=str(tmp_path / "not" / "yet"))
    assert "No mail yet" in app.test_client().get("/dev/outbox").text
    fill(app.test_client(), "/signup", email=EMAIL, password=PASSWORD)
    assert EMAIL in app.test_client().get("/dev/outbox").text


def test_the_link_can_be_clicked(app: Flask, client: FlaskClient) -> None:
    sent = fill(client, "/signup", email=EMAIL, password=PASSWORD)
    outbox = soup(client.get(sent.location)).select_one("main a[href='/dev/outbox']")
    assert outbox is not None
    row = soup(client.get(outbox["href"])).select_one("[data-testid=outbox] article a")
    assert "Confirm your address" in row.text
    link = soup(client.get(row["href"])).select_one("[data-testid=mail-text] a")
    assert link["href"].startswith("http://127.0.0.1:8000/confirm/")
    assert client.get(link["href"].removeprefix("http://127.0.0.1:8000")).status_code == 200


def test_newest_first(app: Flask, client: FlaskClient) -> None:
    for number in range(3):
        fill(client, "/signup", email=f"user{number}@example.com", password=PASSWORD)
    folder = Path(app.config["MAIL_FILE_PATH"])
    oldest = folder / mails(app)[0].name
    os.utime(oldest, (0, 0))
    cells = soup(client.get("/dev/outbox")).select("[data-testid=recipient]")
    assert [cell.text for cell in cells] == [f"user{n}@example.com" for n in (1, 0, 2)]


def test_html_is_shown_as_a_document_that_may_do_nothing(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        mail.send("confirm_address", EMAIL, email="<script>alert(1)</script>", url="http://x/")
    name = mails(app)[0].name
    page = client.get(f"/dev/outbox/{name}")
    assert soup(page).select_one(f"a[href='/dev/outbox/{name}/html']") is not None
    assert "<script>alert(1)" not in page.text
    html = client.get(f"/dev/outbox/{name}/html")
    policy = html.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "allow-" not in policy
    assert "Confirm your address" in html.text


@pytest.mark.parametrize(
    "name",
    [
        "20260101-000000-1.log",
        "..%2F..%2Fpyproject.toml",
        "%2Fetc%2Fpasswd",
        "....//x.log",
        "20260101-000000-1.log%0A",
        "secret.txt",
        "..",
    ],
)
def test_names_that_are_no_mails_are_not_found(app: Flask, client: FlaskClient, name: str) -> None:
    (Path(app.config["MAIL_FILE_PATH"]) / "secret.txt").write_text("secret")
    assert client.get(f"/dev/outbox/{name}").status_code in {404, 308}
    assert client.get(f"/dev/outbox/{name}/html").status_code == 404


def test_a_file_that_is_no_mail_does_no_harm(app: Flask, client: FlaskClient) -> None:
    folder = Path(app.config["MAIL_FILE_PATH"])
    (folder / "20260101-000000-7.log").write_bytes(b"\xff\x00 nonsense")
    assert "No subject" in client.get("/dev/outbox").text
    assert client.get("/dev/outbox/20260101-000000-7.log").status_code == 200


def test_there_is_no_outbox_in_production(clean: None, make_app: Callable[..., Flask]) -> None:
    app = make_app(
        app_env="production",
        base_url="https://app.example.com",
        polar_api_url="",
        polar_access_token="x" * 40,
    )
    assert "dev" not in app.blueprints
    client = app.test_client()
    for url in ("/dev/outbox", "/dev/outbox/20260101-000000-1.log"):
        assert client.get(url, base_url="https://app.example.com").status_code == 404
    page = client.get("/signup/sent", base_url="https://app.example.com")
    assert page.status_code == 200
    assert "outbox" not in page.text.lower()
