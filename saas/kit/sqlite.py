"""SQLite as a web application needs it: write-ahead log, foreign keys, and honest transactions."""

import sqlite3
import time
from typing import Any, cast

from sqlalchemy import Connection, Engine, event

from saas.kit import beginning

LOOK_AGAIN_MS = 8
BUSY_TIMEOUT_MS = 10_000  # Longer than any write of ours, shorter than gunicorn's request time-out.


def configure(engine: Engine) -> None:
    """Set the pragmas on every new connection and let SQLAlchemy, not the driver, begin transactions.

    The driver's own ``BEGIN`` comes too late for ``BEGIN IMMEDIATE``; see
    https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#pysqlite-serializable
    """
    if engine.dialect.name != "sqlite":
        return
    event.listen(engine, "connect", _on_connect)
    beginning.lazily(engine, _prepare, _begin)


def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # FULL: a webhook that was answered with 2xx must survive a power cut.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.close()


def _prepare(connection: Connection) -> bool:
    """Begin as a writer, if that is what is wanted. Returns whether there is a transaction to begin later."""
    if connection.get_execution_options().get("sqlite_begin") != "IMMEDIATE":
        return True
    _wait_for_turn(_driver(connection))
    return False


def _begin(connection: Connection) -> None:
    _driver(connection).execute("BEGIN DEFERRED")  # It waits for nobody.


def _driver(connection: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, connection.connection.driver_connection)


def _wait_for_turn(connection: sqlite3.Connection) -> None:
    """Begin as a writer. SQLite itself looks again ever more seldom, so that the unlucky wait long."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    connection.execute(f"PRAGMA busy_timeout = {LOOK_AGAIN_MS}")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                break
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
