"""A PostgreSQL that hangs, or holds a lock, costs a request a bounded time; a command waits."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from saas.config import Settings
from saas.extensions import db
from saas.kit import patience, pool
from tests.kit.hanging import Proxy, proxy_to

MANY = 10


@pytest.fixture(autouse=True)
def impatient(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    if not settings.sqlalchemy_url.startswith("postgresql"):
        pytest.skip("a file does not hang; TEST_DATABASE_URL names no PostgreSQL")
    monkeypatch.setattr(patience, "REQUEST_SECONDS", 1.0)
    monkeypatch.setattr(pool, "PING_SECONDS", 0.5)


@pytest.fixture
def proxy(settings: Settings) -> Iterator[tuple[Proxy, str]]:
    with proxy_to(settings.sqlalchemy_url) as both:
        yield both


def ask(app: Flask, path: str, count: int = MANY) -> tuple[list[TestResponse], float]:
    """Ask that often at once; return the answers and how many seconds the last of them took."""
    began = time.monotonic()
    with ThreadPoolExecutor(count) as threads:
        answers = list(threads.map(lambda _: app.test_client().get(path), range(count)))
    return answers, time.monotonic() - began


@pytest.mark.parametrize("idle_seconds", [0.0, 60.0])
def test_a_server_that_hangs_is_503_in_time(
    proxy: tuple[Proxy, str],
    make_app: Callable[..., Flask],
    clean: None,
    monkeypatch: pytest.MonkeyPatch,
    idle_seconds: float,
) -> None:
    """With the connections that there are, asked first or trusted, and with new ones."""
    monkeypatch.setattr(pool, "IDLE_SECONDS", idle_seconds)
    app = make_app(database_url=proxy[1], web_threads=MANY)
    assert {answer.status_code for answer in ask(app, "/pricing")[0]} == {200}
    proxy[0].goes_on.clear()
    for path in ("/readyz", "/pricing", "/readyz"):
        answers, seconds = ask(app, path)
        assert {answer.status_code for answer in answers} == {503}
        assert seconds < 8
        if path == "/pricing":
            assert {answer.headers["Retry-After"] for answer in answers} == {"60"}
    assert app.test_client().get("/healthz").status_code == 200
    proxy[0].goes_on.set()
    assert app.test_client().get("/pricing").status_code == 200


def test_a_table_that_is_locked_is_503_and_leaves_nothing_behind(
    make_app: Callable[..., Flask], clean: None
) -> None:
    app = make_app(web_threads=4 * MANY)
    with app.app_context(), db.engine.connect() as holder:
        holder.execute(text("LOCK TABLE billing_products"))
        answers, seconds = ask(app, "/pricing", 4 * MANY)
        waiting = holder.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                "AND datname = current_database()"
            )
        )
    assert {answer.status_code for answer in answers} == {503}
    assert seconds < 8
    assert waiting == 0


def test_a_command_waits_as_long_as_it_takes(make_app: Callable[..., Flask], clean: None) -> None:
    app = make_app()
    slow = text("SELECT pg_sleep(1.5)")
    with app.app_context():
        db.session.execute(slow)
        db.session.rollback()
        with patience.within(0.3), pytest.raises(OperationalError, match=r"no answer within 0\.3"):
            db.session.execute(slow)
        db.session.rollback()
        with app.test_request_context(), pytest.raises(OperationalError, match="within 1 seconds"):
            db.session.execute(slow)


def test_what_the_address_says_wins(make_app: Callable[..., Flask], settings: Settings) -> None:
    own = "application_name=mine&keepalives_idle=7&connect_timeout=9"
    glue = "&" if "?" in settings.database_url else "?"
    app = make_app(database_url=f"{settings.database_url}{glue}{own}")
    with app.app_context(), db.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        found = driver.info.get_parameters()
    assert (found["keepalives_idle"], found["connect_timeout"]) == ("7", "9")
    assert (found["keepalives_count"], found["tcp_user_timeout"]) == ("3", "10000")
