"""A transaction begins with the first statement that needs one, and is whole from there on."""

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from saas.accounts.models import User
from saas.extensions import db, start_write
from saas.kit.beginning import READS_ALONE
from saas.kit.compiled import CompiledSelect
from tests.browsing import sign_in
from tests.people import make_user

ALONE = select(func.count(User.id)).execution_options(**{READS_ALONE: True})
ORDINARY = select(func.count(User.id))
READ = CompiledSelect(lambda: select(func.count(User.id)))


def has_begun() -> bool:
    """What the driver's connection of this session says."""
    driver: Any = db.session.connection().connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        return driver.in_transaction
    return bool(driver.info.transaction_status)


def test_what_reads_alone_needs_none(db_session: Any) -> None:
    for _ in range(2):
        assert db_session.scalar(ALONE) == 0
        assert not has_begun()
        db_session.rollback()


@pytest.mark.parametrize(
    "statement", [ORDINARY, text("SELECT 1"), select(User.id).with_for_update()]
)
def test_everything_else_does(db_session: Any, statement: Any) -> None:
    for end in (db_session.rollback, db_session.commit):
        db_session.scalar(ALONE)
        db_session.execute(statement)
        assert has_begun()
        db_session.scalar(ALONE)
        assert has_begun()
        end()
        db_session.scalar(ALONE)
        assert not has_begun()
        db_session.rollback()


def test_writing_is_whole_or_not_at_all(db_session: Any) -> None:
    make_user("ada")
    assert db_session.scalar(ALONE) == 1
    db_session.add(User(email="bob@example.com", password_hash="!"))
    db_session.flush()
    assert has_begun()
    assert db_session.scalar(ALONE) == 2
    db_session.execute(db.delete(User).where(User.email.like("ada%")))
    db_session.rollback()
    assert db_session.scalar(ORDINARY) == 1
    assert db_session.scalar(select(User.public_id)) == "ada"


def test_a_savepoint_is_inside_of_one(db_session: Any) -> None:
    db_session.scalar(ALONE)
    with db_session.begin_nested():
        assert has_begun()
        db_session.add(User(email="bob@example.com", password_hash="!"))
    db_session.rollback()
    assert db_session.scalar(ORDINARY) == 0


def test_who_is_going_to_write(db_session: Any) -> None:
    start_write()
    assert has_begun() is (db.engine.dialect.name == "sqlite")  # There it is a writer from here on.
    assert db_session.scalar(ALONE) == 0
    db_session.execute(ORDINARY)
    assert has_begun()


def on_postgresql() -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite's driver begins nothing; TEST_DATABASE_URL names no PostgreSQL")


@pytest.mark.parametrize("read", [lambda: db.session.scalar(ALONE), lambda: READ.rows(db, {})])
def test_who_takes_a_connection_of_the_driver_can_take_back(
    db_session: Any, read: Callable[[], object]
) -> None:
    """As for COPY, which SQLAlchemy does not know. What had the connection before has read alone."""
    on_postgresql()
    make_user("ada")
    db_session.remove()
    read()
    db_session.remove()
    connection = db.engine.raw_connection()
    connection.cursor().execute("DELETE FROM users")
    connection.rollback()
    connection.close()
    assert db_session.scalar(ORDINARY) == 1


def test_what_the_driver_does_in_a_transaction_is_part_of_it(db_session: Any) -> None:
    on_postgresql()
    make_user("ada")
    driver: Any = db_session.connection().connection.driver_connection
    driver.execute("DELETE FROM users")
    db_session.rollback()
    assert db_session.scalar(ORDINARY) == 1


def test_who_asks_for_no_transaction_gets_none(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        alone.execute(ORDINARY)
        driver: Any = connection.connection.driver_connection
        begun = driver.in_transaction if isinstance(driver, sqlite3.Connection) else driver.info
        assert not (begun if isinstance(begun, bool) else begun.transaction_status)


def test_a_signed_in_page_begins_none(app: Flask) -> None:
    """Who it is, and what they hold, are read alone; SQLite tells what it was asked."""
    client, _ = sign_in(app)
    with app.app_context():
        if db.engine.dialect.name != "sqlite":
            pytest.skip("only SQLite tells each statement; the ones above say so of PostgreSQL")
        asked: list[str] = []
        db.engine.dispose()  # So that there is one connection, which the page will have.
        driver: Any = db.session.connection().connection.driver_connection
        driver.set_trace_callback(asked.append)
        db.session.remove()
        try:
            assert client.get("/dashboard").status_code == 200
        finally:
            driver.set_trace_callback(None)
    assert [line.split()[0] for line in asked] == ["SELECT", "SELECT"]
