"""No id is given twice: jobs, mails, limits and the audit log name rows that may be gone by then."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import Inspector, inspect, text

from saas.accounts.models import User
from saas.config import Settings
from saas.extensions import db
from saas.jobs import running
from tests.accounts.pages import mails
from tests.browsing import PASSWORD, sign_in, submit
from tests.conftest import running as application
from tests.people import make_user

BEFORE = "0061"  # The last version of the database in which SQLite gave ids again.
AFTER = "0070"
DAY = "2026-01-02 03:04:05.678901"
ROWS = (
    "INSERT INTO users (id, public_id, email, password_hash, auth_key, created_at) "
    f"VALUES (7, 'p', 'ada@example.com', '!', 'k', '{DAY}')",
    f"INSERT INTO sign_ins VALUES (3, 7, 'd', 'k', 'b', 1, '{DAY}', '{DAY}')",
    f"INSERT INTO billing_notices VALUES (9, 'welcome', 's', '', 7, '{DAY}', NULL, 0)",
    "INSERT INTO webhook_deliveries VALUES "
    f"(4, 'w', 't', x'00ff', '{{}}', '{DAY}', 'applied', 1, NULL, NULL, NULL, 'c')",
    "INSERT INTO jobs (id, name, arguments, dedupe_key, lane, state, attempts, run_after, created_at) "
    f"VALUES (5, 'n', '{{}}', 'once', 'l', 'running', 1, '{DAY}', '{DAY}')",
)


def test_nobody_gets_the_id_of_somebody_who_is_gone(db_session: Any) -> None:
    gone = make_user("ada")
    number = gone.id
    db_session.delete(gone)
    db_session.commit()
    assert make_user("bob").id > number


def test_a_link_that_waits_is_not_made_for_somebody_else(queued_app: Flask) -> None:
    """Otherwise it would give the account of the one to the mailbox of the other."""
    client, _ = sign_in(queued_app)
    submit(client, "/settings/email", email="ada@elsewhere.example.com", password=PASSWORD)
    with queued_app.app_context():
        db.session.delete(db.session.scalars(db.select(User)).one())
        db.session.commit()
        make_user("bob")
        while running.run_next(running.AT_ONCE):
            pass
    assert mails(queued_app) == []


@pytest.fixture
def old_database(settings: Settings, tmp_path: Path) -> Iterator[Flask]:
    """An application whose SQLite database is of the version before, with rows that hang together."""
    changed = replace(settings, database_url=f"sqlite:///{tmp_path / 'old.db'}")
    with application(changed) as app, app.app_context():
        upgrade(revision=BEFORE)
        for row in ROWS:
            write(row)
        yield app


@pytest.mark.usefixtures("old_database")
def test_migrating_keeps_what_there_is() -> None:
    before = contents(), shape()
    upgrade(revision=AFTER)
    assert (contents(), shape()) == before
    upgrade()
    numbered = [
        table for table in db.metadata.tables.values() if table.autoincrement_column is not None
    ]
    made = "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'"
    assert set(read(made)) == {(table.name,) for table in numbered}
    write("DELETE FROM users")  # It takes along what is hers, as before.
    assert read("SELECT id FROM sign_ins UNION ALL SELECT id FROM billing_notices") == []
    assert read("PRAGMA foreign_keys") == [(1,)]


def contents() -> dict[str, list[Any]]:
    """Every row of every table."""
    return {name: read(f"SELECT * FROM {name}") for name in tables()}


def shape() -> dict[str, list[str]]:
    """Columns, indexes and constraints of every table."""
    found = inspect(db.engine)
    return {name: sorted(_facts(found, name)) for name in tables()}


def _facts(found: Inspector, name: str) -> Iterator[str]:
    for column in found.get_columns(name):
        yield f"{column['name']} {column['type']} {column['nullable']} {column['default']}"
    for index in found.get_indexes(name):
        options = index.get("dialect_options", {})
        only = {key: str(value) for key, value in options.items()}
        yield f"{index['name']} {index['column_names']} {index['unique']} {only}"
    yield from map(str, found.get_unique_constraints(name))
    yield from map(str, found.get_foreign_keys(name))


def tables() -> list[str]:
    return sorted(set(inspect(db.engine).get_table_names()) & set(db.metadata.tables))


def read(sql: str) -> list[Any]:
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def write(sql: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(sql))
