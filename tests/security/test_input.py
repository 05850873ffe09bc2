"""Input made to break something: NUL, broken UTF-8, long fields, two values, header lines, paths."""

import ast
import re
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from saas.accounts.models import User
from saas.config import ROOT
from saas.extensions import db, limiter
from tests.accounts.pages import (
    EMAIL,
    NEW_PASSWORD,
    PASSWORD,
    fill,
    log_in,
    mails,
    make_user,
    token_of,
    user_named,
)
from tests.security.routes import addresses, doors

NAMES = ["email", "password", "next", "product_id", "interval", "checkout_id", "subscription"]
NAMES += ["months", "reason", "comment", "behavior", "fingerprint", "subscription_id"]
BAD = {
    "nul": "a\x00b",
    "broken UTF-8": b"\xff\xfe\xc0\x80",
    "half a pair": b"\xed\xa0\x80",
    "long": "x" * 100_000,
    "right to left": "\u202egpj.exe",
    "template": "{{ 7919 * 7907 }}{% raw %}",
    "many digits": "9" * 5000,
}


@pytest.fixture
def ada(app: Flask, client: FlaskClient) -> FlaskClient:
    make_user(app)
    log_in(client)
    return client


@pytest.mark.parametrize("value", BAD.values(), ids=list(BAD))
@pytest.mark.parametrize("signed_in", [True, False])
def test_no_input_breaks_a_page(app: Flask, value: Any, signed_in: bool) -> None:
    client = app.test_client()
    make_user(app)
    if signed_in:
        log_in(client)
    token = token_of(client)
    for url in addresses(app, "GET"):
        limiter.reset()
        short = value[:2000]
        assert client.get(url, query_string=dict.fromkeys(NAMES, short)).status_code != 500, url
    for method, url in doors(app):
        limiter.reset()
        if url == "/logout" or "devices" in url:
            continue  # They read nothing, and would end the session.
        data = dict.fromkeys(NAMES, value) | {"csrf_token": token}
        answer = client.open(url, method=method, data=data)
        assert answer.status_code != 500, (method, url)
        assert str(7919 * 7907) not in answer.text


def test_nul_is_refused_everywhere(client: FlaskClient) -> None:
    assert client.get("/pricing?interval=a%00b").status_code == 400
    assert client.get("/confirm/a%00b").status_code == 400
    data = {"email": "a\x00@example.com", "csrf_token": token_of(client)}
    assert client.post("/forgot-password", data=data).status_code == 400


@pytest.mark.parametrize("head", ['form-data; name="\rt"', "form-data", 'form-data; filename="x"'])
@pytest.mark.parametrize("url", ["/login", "/settings/devices/others", "/nowhere"])
def test_a_part_of_a_form_without_a_name_is_refused(
    client: FlaskClient, url: str, head: str
) -> None:
    token = f'Content-Disposition: form-data; name="csrf_token"\r\n\r\n{token_of(client)}'
    body = f"--x\r\nContent-Disposition: {head}\r\n\r\nvalue\r\n--x\r\n{token}\r\n--x--\r\n"
    answer = client.post(url, data=body.encode(), content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "email",
    [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\nBcc: eve@example.com",
        "ada@example.com%0d%0aBcc: eve@example.com",
        "ada@example.com\u2028Bcc: eve@example.com",
        "ada@example.com, eve@example.com",
        "ada@example.com;eve@example.com",
        '"ada\r\nBcc: eve@example.com"@example.com',
        "=?utf-8?q?eve=40example.com?=@example.com",
        "<ada@example.com>",
        "Ada <ada@example.com>",
    ],
)
@pytest.mark.parametrize("url", ["/signup", "/forgot-password", "/confirm"])
def test_a_mail_goes_to_one_address(app: Flask, client: FlaskClient, url: str, email: str) -> None:
    values = {"email": email, "csrf_token": token_of(client), "password": PASSWORD}
    answer = client.post(url, data=values)
    assert answer.status_code in {303, 422}
    for mail in mails(app):
        assert mail.recipient.count("@") == 1
        assert "eve@example.com" not in mail.recipient
        assert "\nBcc:" not in mail.text


def test_what_decides_is_read_once(app: Flask, client: FlaskClient) -> None:
    """Of two values of one name the first counts, for the limit as well as for the act."""
    make_user(app)
    make_user(app, "eve@example.com")
    data = {"email": [EMAIL, "eve@example.com"], "csrf_token": token_of(client)}
    client.post("/forgot-password", data=data, query_string={"email": "mallory@example.com"})
    assert [mail.recipient for mail in mails(app)] == [EMAIL]


@pytest.mark.parametrize(
    "extra",
    [
        {"is_staff": "1", "is_admin": "1", "role": "admin"},
        {"email_confirmed_at": "2020-01-01", "confirmed": "1"},
        {"id": "1", "user_id": "1", "public_id": "x", "auth_key": "x", "password_hash": "x"},
        {"plan": "pro", "credits": "1000"},
    ],
)
def test_fields_that_no_form_has_are_not_taken(
    app: Flask, client: FlaskClient, extra: dict[str, str]
) -> None:
    fill(client, "/signup", email="new@example.com", password=PASSWORD, **extra)
    new = user_named(app, "new@example.com")
    assert new.email_confirmed_at is None
    assert extra.get("public_id") != new.public_id
    make_user(app)
    log_in(client)
    before = _columns(user_named(app))
    fill(
        client,
        "/settings/password",
        current_password=PASSWORD,
        password=NEW_PASSWORD,
        email="eve@example.com",
        **extra,
    )
    after = _columns(user_named(app))
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"password_hash", "auth_key"}
    assert after["auth_key"] != "x"


def _columns(user: User) -> dict[str, Any]:
    return {column.key: getattr(user, column.key) for column in db.inspect(User).columns}


@pytest.mark.parametrize(
    "path",
    [
        "../.env",
        "../saas/app.py",
        "..%2f.env",
        "%2e%2e/%2e%2e/etc/passwd",
        "....//....//etc/passwd",
        "..%5c..%5c.env",
        "%252e%252e/.env",
        "/etc/passwd",
        "//etc/passwd",
        "css/../../.env",
        "css/%00/../../.env",
        ".",
        "..",
        "css",
        "css/",
        "css/order.txt%00.css",
        "~root/.profile",
        "C:\\Windows\\win.ini",
    ],
)
@pytest.mark.parametrize("folder", ["/static/", "/", "/dev/outbox/"])
def test_no_file_but_the_public_ones(client: FlaskClient, folder: str, path: str) -> None:
    with client.get(folder + path, follow_redirects=True) as answer:
        assert answer.status_code in {200, 400, 404}
        text = answer.get_data()
        assert b"SECRET_KEY" not in text
        assert b"root:" not in text
        assert b"def create_app" not in text
        if folder == "/static/":
            assert answer.status_code in {400, 404}


@pytest.mark.parametrize("name", [".git", ".env", ".hg", ".svn", ".ci", ".venv", "pyproject.toml"])
def test_nothing_of_the_repository_is_served(app: Flask, client: FlaskClient, name: str) -> None:
    for path in (name, f"{name}/", f"{name}/HEAD", f"{name}/config", f"{name}/index"):
        for folder in ("/", "/static/", "/static/../"):
            with client.get(folder + path) as answer:
                assert answer.status_code == 404, folder + path
    assert [rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/.")] == []


def test_no_code_is_made_from_text() -> None:
    makers = {"eval", "exec", "compile", "__import__", "from_string", "render_template_string"}
    harmless = {
        "re.compile",
        "statement.compile",
    }  # SQLAlchemy's, of a statement that is an object.
    readers = {"pickle", "marshal", "shelve", "dill", "yaml"}
    for path in (ROOT / "saas").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                name = called.rpartition(".")[2]
                assert name not in makers or called in harmless, (path, called)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                modules = {alias.name for alias in node.names} | {getattr(node, "module", None)}
                assert not modules & readers, path


def test_no_script_makes_html_from_text() -> None:
    """Pages need none; one that is added finds the ways closed that read text as HTML."""
    makers = re.compile(
        r"(?:inner|outer)HTML|insertAdjacentHTML|document\.write|createContextualFragment|srcdoc"
        r"|parseFromString|setHTML|\beval\b|\bFunction\(|<script(?![^>]*\ssrc=)|<[^>]*\son\w+="
    )
    paths = [*(ROOT / "static").rglob("*.js"), *(ROOT / "templates").rglob("*.html")]
    assert len(paths) > 20
    for path in paths:
        assert makers.search(path.read_text(encoding="utf-8")) is None, path


@pytest.mark.parametrize("raw", ["\xff", "\xc3(", "%c3%28", "%ff%fe"])
def test_broken_addresses(client: FlaskClient, raw: str) -> None:
    for url in ("/" + raw, "/confirm/" + raw, "/pricing?interval=" + raw, "/login?next=/" + raw):
        assert client.get(url).status_code < 500


def test_text_of_others_is_shown_as_text(app: Flask, client: FlaskClient) -> None:
    attack = "<script>alert(1)</script>\"'>"
    for url in ("/login", "/signup", "/forgot-password"):
        page = client.get(url, query_string={"next": f"/{attack}"}).text
        assert "<script>alert" not in page
    answer = fill(client, "/login", email=attack, password="x")
    assert "<script>alert" not in answer.text
    assert "<script>alert" not in client.get("/" + quote(attack)).text
