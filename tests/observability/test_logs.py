"""Log lines: JSON with the number of the request, and nothing of what is personal or secret."""

import json
import logging
import time
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from saas.extensions import db
from saas.jobs import enqueue, registry
from saas.kit.redaction import redact
from saas.observability.logs import JsonFormatter, TextFormatter
from tests.accounts.pages import EMAIL, PASSWORD, fill, log_in, newest_link, press, sign_up
from tests.observability.reading import Lines
from tests.webhooks.door import event, send

NEW = "a new and long enough one"


@pytest.fixture
def app(clean: None, make_app: Callable[..., Flask]) -> Flask:
    return make_app(access_log=True, trusted_proxies=1)


def test_a_walk_through_everything_leaves_nothing_personal(
    app: Flask, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app.test_client()
    sign_up(client)
    confirmation = newest_link(app, "/confirm/")
    press(client, confirmation)
    fill(app.test_client(), "/forgot-password", email=EMAIL)
    reset = newest_link(app, "/reset-password/")
    fill(app.test_client(), reset, password=NEW)
    log_in(client, password=NEW)
    client.get(f"/pricing?email={EMAIL}&token=polar_oat_querystring")
    client.post("/checkout", data={"product_id": "x", "email": EMAIL})
    client.get("/settings/billing", headers={"Authorization": "Bearer abcdefghijklmnop"})
    buyer = event("customer.updated", {"id": "x", "email": EMAIL})
    send(client, buyer, webhook_id="walk-1")
    client.post("/webhooks/polar", data=b"{}", headers={"webhook-signature": "v1,forged0123456789"})
    _failing_job(app, monkeypatch)

    found = lines()
    text = json.dumps(found)
    cookie = client.get_cookie("session")
    secrets = [EMAIL, PASSWORD, NEW, "querystring", "abcdefghijklmnop", "forged0123456789"]
    secrets += [link.rpartition("/")[2].partition("?")[0] for link in (confirmation, reset)]
    secrets += [cookie.value] if cookie else []
    assert [secret for secret in secrets if secret in text] == []
    assert len(secrets) >= 8
    routes = {line["route"] for line in found if "route" in line}
    assert {"/signup", "/reset-password/<token>", "/webhooks/polar"} <= routes
    assert any(line.get("webhook_id") == "walk-1" for line in found)
    assert any(line.get("job_id") and "failed" in line["message"] for line in found)
    assert any(len(line.get("user", "")) == 36 for line in found)


def _failing_job(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def bad() -> None:
        raise RuntimeError(f"{EMAIL} with {PASSWORD[:0]}polar_oat_abcdef and whsec_0123456789")

    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))
    registry.handler("test.bad", attempts=1)(bad)
    with app.app_context():
        enqueue("test.bad")
        db.session.commit()


def test_a_number_for_each_request(app: Flask, lines: Lines) -> None:
    client = app.test_client()
    given = client.get("/login", headers={"X-Request-ID": "from-the-proxy-1"})
    assert given.headers["X-Request-ID"] == "from-the-proxy-1"
    odd = client.get("/login", headers={"X-Request-ID": "a b\x7f"}).headers["X-Request-ID"]
    assert len(odd) == 32
    (first, second) = [line for line in lines() if line["logger"] == "saas.access"]
    assert first["request_id"] == "from-the-proxy-1"
    assert (first["method"], first["route"], first["status"]) == ("GET", "/login", 200)
    assert first["duration_ms"] > 0
    assert second["request_id"] == odd


def test_a_stranger_does_not_choose_the_number(clean: None, make_app: Callable[..., Flask]) -> None:
    answer = make_app().test_client().get("/login", headers={"X-Request-ID": "from-a-stranger"})
    assert answer.headers["X-Request-ID"] != "from-a-stranger"


def test_no_line_unless_wanted(clean: None, make_app: Callable[..., Flask], lines: Lines) -> None:
    make_app().test_client().get("/login")
    assert [line for line in lines() if line["logger"] == "saas.access"] == []


def test_text_for_people_is_cleaned_as_well() -> None:
    record = logging.LogRecord("saas.x", 30, "", 0, "to %s", (EMAIL,), None)
    assert TextFormatter().format(record) == "WARNING saas.x: to [e-mail]"


def test_a_database_that_is_away_has_a_sentence_and_a_mistake_its_traceback() -> None:
    away = what_is_logged("sqlite:////proc/there-is-none/app.db", "SELECT 1")
    words = "it is tried again: the database cannot be used: unable to open database file"
    assert TextFormatter().format(away) == f"ERROR saas.x: {words}"
    line = json.loads(JsonFormatter().format(away))
    assert (line["message"], "error" in line) == (words, False)
    assert "Traceback" in logging.Formatter().format(away)
    mistake = what_is_logged("sqlite://", "SELECT * FROM there_is_none")
    assert "Traceback" in TextFormatter().format(mistake)
    assert "Traceback" in json.loads(JsonFormatter().format(mistake))["error"]


def what_is_logged(url: str, statement: str) -> logging.LogRecord:
    engine = create_engine(url)
    with pytest.raises(OperationalError) as raised, engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
    exc_info = (raised.type, raised.value, raised.tb)
    return logging.LogRecord("saas.x", 40, "", 0, "it is %s again", ("tried",), exc_info)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("mail to ada@example.com.", "mail to [e-mail]."),
        ("/confirm/eyJh.b-c_d?next=/x", "/confirm/[token]?next=[left out]"),
        ("/confirm-address/abc HTTP/1.1", "/confirm-address/[token] HTTP/1.1"),
        ("redis://user:geheim@host/0", "redis://[credentials]@host/0"),  # pragma: allowlist secret
        ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer [secret]"),
        ("$argon2id$v=19$m=19456$abc", "[hash]"),
        ("GET /v1/customers/?email=ada%40example.com", "GET /v1/customers/?email=[left out]"),
        ("GET /x?token=abc&password=def", "GET /x?token=[left out]&password=[left out]"),
        ("Cookie: __Host-session=abc; b=c", "Cookie: [left out]"),
        ("got __Host-session=abc", "got __Host-session=[left out]"),
        ("{'Set-Cookie': 'a=b; Path=/'}", "{'Set-Cookie': '[left out]'}"),
        ("for password=hunter2, twice", "for password=[left out], twice"),
        ("{'password': 'hunter 2', 'x': 1}", "{'password': [left out], 'x': 1}"),
        ('{"reset_token":"it\'s"}', '{"reset_token":[left out]}'),
        ("to ada@localhost.", "to [e-mail]."),
        ("{'to': 'o'brien@example.com'}", "{'to': '[e-mail]'}"),
        ("ada%40localhost", "[e-mail]"),
        ("postgresql://u:p/w@h", "postgresql://[credentials]@h"),
        ("http://127.0.0.1:9/x?to=ada@example.com", "http://127.0.0.1:9/x?to=[left out]"),
        (
            "Invalid request from ip=::1: Invalid HTTP Header: 'Cookie __Host-session=SECRET'",
            "Invalid request from ip=::1: Invalid HTTP Header: [left out]",
        ),
        (
            'Invalid request from ip=10.0.0.1: Invalid HTTP request line: "GET /it\'s"',
            "Invalid request from ip=10.0.0.1: Invalid HTTP request line: [left out]",
        ),
        (
            "duplicate key\nDETAIL:  Key (name)=(Zebulon\nQuux) is there.\n[SQL: INSERT]\nTraceback",
            "duplicate key\nDETAIL: [left out]\n[SQL: INSERT]\nTraceback",
        ),
        (
            "no null\nDETAIL:  Failing row contains (1, Zebulon).\nCONTEXT:  JSON data, line 1: Quux",
            "no null\nDETAIL: [left out]",
        ),
        (
            'invalid input syntax for type integer: "Zebulon"\nLINE 1',
            "invalid input syntax for type integer: [left out]\nLINE 1",
        ),
        ("a-" * 50_000, "a-" * 50_000),
        ("//a:" * 20_000, "//a:" * 20_000),
        ("Invalid request from ip=" * 5_000, "Invalid request from ip=" * 5_000),
        ("nothing to see at 12:30 (3 < 4)", "nothing to see at 12:30 (3 < 4)"),
    ],
)
def test_redaction(text: str, left: str) -> None:
    began = time.perf_counter()
    assert redact(text) == left
    assert time.perf_counter() - began < 2  # However long the text is, and whoever wrote it.
