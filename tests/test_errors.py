"""A database that does not answer is no bug of ours: 503, and when to try again."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, create_engine, text

from saas.config import flask_names
from saas.extensions import db
from tests.browsing import csrf_token, sign_in
from tests.database import empty_copy
from tests.webhooks.door import event, send

AWAY = "postgresql://app:geheim@127.0.0.1:9/app"  # pragma: allowlist secret


@pytest.fixture(params=["postgresql", "sqlite"])
def away(
    request: pytest.FixtureRequest,
    make_app: Callable[..., Flask],
    clean: None,
    tmp_path: Path,
) -> Flask:
    """An application whose database is not there."""
    url = AWAY if request.param == "postgresql" else f"sqlite:///{tmp_path}/no-such-folder/app.db"
    return make_app(database_url=url)


def test_a_visitor_is_told_to_come_back(
    away: Flask, app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = app.test_client()
    token = csrf_token(visitor)
    client = away.test_client()
    cookie = visitor.get_cookie("session")
    assert cookie is not None
    client.set_cookie("session", cookie.value)
    form = {"email": "ada@example.com", "password": "x", "csrf_token": token}
    for answer in (client.get("/"), client.get("/pricing"), client.post("/login", data=form)):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "60"
        assert "Back in a moment" in answer.text
    lines = [record for record in caplog.records if record.name == "saas.errors"]
    assert len(lines) == 3
    assert all(line.levelno == logging.ERROR for line in lines)


def test_polar_is_told_to_come_back(away: Flask) -> None:
    answer = send(away.test_client(), event("customer.updated", {"id": "x"}))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")


def test_who_is_signed_in_stays_so(away: Flask, app: Flask) -> None:
    ada, _ = sign_in(app)
    client = away.test_client()
    before = ada.get_cookie("session")
    assert before is not None
    client.set_cookie("session", before.value)
    for url in ("/dashboard", "/staff", "/"):
        answer = client.get(url)
        assert answer.status_code == 503, url
        assert "Back in a moment" in answer.text
    after = client.get_cookie("session")
    assert after is not None
    ada.set_cookie("session", after.value)
    assert ada.get("/dashboard").status_code == 200


def test_a_machine_is_told_in_json(away: Flask) -> None:
    answer = away.test_client().get("/", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "service_unavailable")
    assert "Retry-After" in answer.headers


def test_a_mistake_in_a_query_is_a_bug(make_app: Callable[..., Flask], clean: None) -> None:
    """SQLite calls a table that is not there by the same class."""
    app = make_app()

    @app.get("/bug")
    def bug() -> str:
        db.session.execute(text("SELECT * FROM there_is_none"))
        return ""

    assert app.test_client().get("/bug").status_code == 500


def test_every_connection_in_use(
    make_app: Callable[..., Flask], clean: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flask_names, "POOL_SECONDS", 0.1)
    app = make_app(web_threads=3, worker_threads=2)
    held: list[Connection] = []
    with app.app_context():
        for _ in range(3 + flask_names.MORE_CONNECTIONS):
            held.append(db.engine.connect())
        answer = app.test_client().get("/pricing")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
        assert app.test_client().get("/readyz").status_code == 503
        held.pop().close()
        assert app.test_client().get("/pricing").status_code == 200
        for connection in held:
            connection.close()


def test_the_pool_has_a_connection_for_each_thread(make_app: Callable[..., Flask]) -> None:
    for threads in ({"web_threads": 40}, {"worker_threads": 40}):
        with make_app(**threads).app_context():
            assert db.engine.pool.size() == 40  # type: ignore[attr-defined]
    with make_app(database_url="sqlite:///:memory:").app_context(), db.engine.connect():
        assert not hasattr(db.engine.pool, "size")


def test_a_database_without_our_tables(
    make_app: Callable[..., Flask], clean: None, caplog: pytest.LogCaptureFixture
) -> None:
    with empty_copy(make_app().extensions["settings"].database_url) as url:
        client = make_app(database_url=url).test_client()
        for path in ("/", "/pricing"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
        assert "lacks tables of this release. Run: flask db upgrade" in caplog.text
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json["checks"]["migrations"] == {
            "ok": False,
            "at": [],
            "run": "flask db upgrade",
        }


def test_a_database_that_cannot_be_written(
    make_app: Callable[..., Flask], clean: None, tmp_path: Path
) -> None:
    """Signing up writes; the full disk and the read-only one are the same to it."""
    path = tmp_path / "app.db"
    with make_app(database_url=f"sqlite:///{path}").app_context():
        db.create_all()
    create_engine(f"sqlite:///{path}").dispose()
    app = make_app(database_url=f"sqlite:///file:{path}?mode=ro&uri=true")
    client = app.test_client()
    form = {"email": "ada@example.com", "password": "correct horse battery", "accept": "y"}
    answer = client.post("/signup", data=form | {"csrf_token": csrf_token(client, "/signup")})
    assert answer.status_code == 503
