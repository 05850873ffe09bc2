"""Keep deliveries for good: those that arrive at the same moment share one commit.

A commit waits for the disk. While one is under way the next deliveries of this process gather, and whoever
has the turn next writes all of them at once; nobody returns before their own row is on the disk.
"""

import threading
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from sqlalchemy import Connection, Table, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from saas.extensions import db, insert
from saas.webhooks.models import Delivery


@dataclass
class _Row:
    values: dict[str, Any]
    is_done: bool = False
    open_id: int | None = None
    error: SQLAlchemyError | None = None


class Keeper:
    """Writes the inbox of one process."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._waiting: list[_Row] = []

    def keep(self, values: dict[str, Any]) -> int | None:
        """Store a delivery. Returns its row's id, or ``None`` when it was handled before.

        Raises ``SQLAlchemyError`` when it could not be stored.
        """
        mine = _Row(values)
        self._waiting.append(mine)
        with self._turn:
            if not mine.is_done:
                batch, self._waiting = self._waiting, []
                _write(batch)
        if mine.error is not None:
            raise mine.error
        return mine.open_id


def _write(batch: list[_Row]) -> None:
    try:
        _insert(batch)
    except SQLAlchemyError:
        for row in batch:  # One of them may be at fault, or the connection was: each for itself.
            try:
                _insert([row])
            except SQLAlchemyError as error:
                row.error = error
    finally:
        for row in batch:
            row.is_done = True


def _insert(batch: list[_Row]) -> None:
    rows = list({row.values["webhook_id"]: row.values for row in batch}.values())
    try:
        ids = _open_ids(rows)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        ids = _open_ids(rows)
    for row in batch:
        row.open_id = ids.get(row.values["webhook_id"])


def _open_ids(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Insert what is new and return the ids of all that are not handled yet."""
    with db.engine.connect() as plain:
        connection = plain.execution_options(sqlite_begin="IMMEDIATE")
        with connection.begin():
            return _insert_new(connection, rows)


def _insert_new(connection: Connection, rows: list[dict[str, Any]]) -> dict[str, int]:
    added = connection.execute(_statement(connection.dialect.name), rows)
    ids = {name: row_id for row_id, name in added}
    known = [row["webhook_id"] for row in rows if row["webhook_id"] not in ids]
    if known:
        unhandled = select(Delivery.webhook_id, Delivery.id).where(
            Delivery.webhook_id.in_(known), Delivery.handled_at.is_(None)
        )
        ids.update((name, row_id) for name, row_id in connection.execute(unhandled))
    return ids


@cache
def _statement(_dialect: str) -> Any:
    table = cast(Table, Delivery.__table__)
    statement = insert(table).on_conflict_do_nothing(index_elements=["webhook_id"])
    return statement.returning(table.c.id, table.c.webhook_id)
