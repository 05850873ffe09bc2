"""What the driver finds for a statement that is put together once is what SQLAlchemy finds."""

import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import bindparam, event, literal_column, select
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from saas.accounts.models import User
from saas.billing import comps, holdings
from saas.billing.comps import Gift
from saas.config import Settings
from saas.extensions import db
from saas.kit import compiled
from saas.kit.compiled import CompiledSelect
from saas.kit.datetimes import utcnow
from tests.billing.holding_data import put_order, put_product, put_subscription
from tests.kit.hanging import proxy_to
from tests.people import make_user

BY_EMAIL = CompiledSelect(
    lambda: select(User.id, User.email, User.created_at, User.staff_since).where(
        User.email == bindparam("email")
    )
)
ADA = {"email": "ada@example.com"}


@pytest.fixture
def ada(db_session: Any) -> int:
    """A user, and nothing begun."""
    number = make_user("ada").id
    db_session.remove()
    return number


def by_sqlalchemy(select: CompiledSelect, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select.statement, values)]


def kill_the_idle() -> None:
    """Close the only connection of the pool behind its back."""
    db.session.remove()
    db.engine.dispose()
    connection = db.engine.raw_connection()
    driver: Any = connection.driver_connection
    connection.close()
    driver.close()


def test_all_that_somebody_can_hold(db_session: Any) -> None:
    ada = make_user("ada")
    put_subscription(ada, status="past_due")
    put_order(ada)
    next_week = (utcnow() + timedelta(days=7)).date()
    comps.give(ada, Gift(put_product("Team"), next_week, "for testing", "grace@example.com"))
    db_session.commit()
    values = {"user_id": ada.id, "now": utcnow()}
    db_session.remove()
    expected = by_sqlalchemy(holdings._HELD, values)
    found = [tuple(row) for row in holdings._HELD.rows(db, values)]
    assert sorted(map(repr, found)) == sorted(map(repr, expected))
    assert {row[0] for row in found} == {"subscription", "grant", "order", "comp", holdings.IN_COMP}


def test_types_are_those_of_python(ada: int) -> None:
    ((number, email, created_at, staff_since),) = BY_EMAIL.rows(db, ADA)
    assert (number, email, staff_since) == (ada, "ada@example.com", None)
    assert created_at == db.session.get_one(User, ada).created_at
    assert created_at.utcoffset().total_seconds() == 0


def test_it_needs_no_session_and_gives_its_connection_back(ada: int) -> None:
    assert len(BY_EMAIL.rows(db, ADA)) == 1
    assert not db.session.registry.has()
    pool: Any = db.engine.pool
    assert pool.checkedout() == 0


def test_in_a_transaction_it_sees_what_is_not_committed(ada: int) -> None:
    db.session.get_one(User, ada).email = "grace@example.com"
    db.session.flush()
    assert BY_EMAIL.rows(db, ADA) == []
    assert len(BY_EMAIL.rows(db, {"email": "grace@example.com"})) == 1
    db.session.rollback()
    assert len(BY_EMAIL.rows(db, ADA)) == 1


def test_a_transaction_after_it_is_one(ada: int) -> None:
    """On PostgreSQL the same connection has just committed each statement by itself."""
    BY_EMAIL.rows(db, ADA)
    db.session.get_one(User, ada).email = "grace@example.com"
    db.session.flush()
    db.session.rollback()
    assert len(BY_EMAIL.rows(db, ADA)) == 1


def test_a_dead_connection_is_replaced(ada: int) -> None:
    BY_EMAIL.rows(db, ADA)
    kill_the_idle()
    assert len(BY_EMAIL.rows(db, ADA)) == 1
    pool: Any = db.engine.pool
    assert pool.checkedout() == 0


def test_errors_are_those_of_sqlalchemy(ada: int) -> None:
    wrong = CompiledSelect(lambda: select(literal_column("nothing.of_the_kind")))
    for _ in range(2):
        with pytest.raises(DBAPIError, match="nothing"):
            wrong.rows(db, {})
    pool: Any = db.engine.pool
    assert pool.checkedout() == 0


def test_a_file_that_is_locked_is_not_awaited_twice(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    one = CompiledSelect(lambda: select(literal_column("1")))
    app = make_app(database_url=f"sqlite:///{tmp_path}/locked.db?timeout=1")
    with app.app_context(), closing(sqlite3.connect(tmp_path / "locked.db")) as other:
        db.engine.dispose()
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        with pytest.raises(OperationalError, match="locked"):
            one.rows(db, {})
        assert 0.8 < time.monotonic() - began < 1.8
        other.rollback()
        assert [tuple(row) for row in one.rows(db, {})] == [(1,)]


def test_a_value_that_is_missing_is_an_error(ada: int) -> None:
    with pytest.raises(KeyError):
        BY_EMAIL.rows(db, {})


def test_values_that_the_statement_brings_along(ada: int) -> None:
    both = CompiledSelect(
        lambda: (
            select(User.id).where(User.email == bindparam("email"), User.email != "bob").limit(1)
        )
    )
    assert [tuple(row) for row in both.rows(db, ADA)] == [(ada,)]


def test_a_list_is_refused(ada: int) -> None:
    several = CompiledSelect(
        lambda: select(User.id).where(User.email.in_(bindparam("some", expanding=True)))
    )
    with pytest.raises(ValueError, match="list"):
        several.rows(db, {"some": ["ada@example.com"]})


@pytest.mark.parametrize("name", compiled.WATCHED)
def test_who_listens_sees_it(ada: int, name: str) -> None:
    seen: list[Any] = []

    def note(*given: Any) -> None:
        seen.append(given)

    event.listen(db.engine, name, note)
    try:
        BY_EMAIL.rows(db, ADA)
        assert len(seen) == 1
    finally:
        event.remove(db.engine, name, note)
    BY_EMAIL.rows(db, ADA)
    assert len(seen) == 1


@pytest.mark.parametrize("target", [db.session, Session])
def test_who_listens_to_sessions_hears_of_it(ada: int, target: Any) -> None:
    """As where the database is told in each transaction whom it is for, and hides the rows of others."""
    began: list[Any] = []

    def note(*given: Any) -> None:
        began.append(given)

    event.listen(target, "after_begin", note)
    try:
        BY_EMAIL.rows(db, ADA)
        assert len(began) == 1
    finally:
        event.remove(target, "after_begin", note)
    db.session.remove()
    BY_EMAIL.rows(db, ADA)
    assert len(began) == 1


def test_options_of_the_engine_count(make_app: Callable[..., Flask], clean: None) -> None:
    with make_app().app_context():
        db.engine.update_execution_options(schema_translate_map={None: "somewhere_else"})
        with pytest.raises(DBAPIError, match="somewhere_else"):
            BY_EMAIL.rows(db, ADA)


def test_on_a_connection_that_a_test_takes_back(
    make_app: Callable[..., Flask], clean: None
) -> None:
    """Flask-SQLAlchemy takes a connection in place of its engine, for tests that leave nothing behind."""
    with make_app().app_context():
        engine = db.engine
        with engine.connect() as connection, connection.begin() as transaction:
            db.engines[None] = connection  # type: ignore[index]
            make_user("ada")
            db.session.remove()
            assert len(BY_EMAIL.rows(db, ADA)) == 1
            db.session.remove()
            transaction.rollback()
            db.engines[None] = engine  # type: ignore[index]
        assert BY_EMAIL.rows(db, ADA) == []


def test_who_reads_the_log_sees_it(
    ada: int, make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "sqlalchemy.engine"), make_app().app_context():
        BY_EMAIL.rows(db, ADA)
    assert "FROM users" in caplog.text


def test_a_database_that_hangs_is_not_awaited_twice(
    settings: Settings, make_app: Callable[..., Flask], clean: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not settings.sqlalchemy_url.startswith("postgresql"):
        pytest.skip("a file does not hang; TEST_DATABASE_URL names no PostgreSQL")
    monkeypatch.setattr("saas.kit.patience.REQUEST_SECONDS", 4.0)
    monkeypatch.setattr(compiled, "AGAIN_SECONDS", 0.5)
    with proxy_to(settings.sqlalchemy_url) as (proxy, url):
        app = make_app(database_url=url)
        with app.test_request_context():
            BY_EMAIL.rows(db, ADA)
            proxy.goes_on.clear()
            began = utcnow()
            with pytest.raises(DBAPIError):
                BY_EMAIL.rows(db, ADA)
            spent = (utcnow() - began).total_seconds()
            proxy.goes_on.set()
            assert BY_EMAIL.rows(db, ADA) == []
    assert (
        3.5 < spent < 8
    )  # 1 to call it off and 2 to connect, which is the least that psycopg takes.


def test_sqlite_is_asked_once(ada: int) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("only SQLite tells each statement that it was asked")
    db.engine.dispose()
    connection = db.engine.raw_connection()
    driver = connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    asked: list[str] = []
    driver.set_trace_callback(asked.append)
    connection.close()
    BY_EMAIL.rows(db, ADA)
    driver.set_trace_callback(None)
    assert [line.split()[0] for line in asked] == ["SELECT"]
