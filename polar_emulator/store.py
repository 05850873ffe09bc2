"""The store: JSON documents by kind in one SQLite file.

One connection behind one lock: every request and every job is a transaction of its own and they
take turns, so that nobody sees half of a change and a killed process leaves a whole file.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Doc = dict[str, Any]

# What is looked up often, by kind. Each entry is an index on those values inside the documents of
# that kind alone, so that writing the others costs nothing.
INDEXED: dict[str, tuple[str, ...]] = {
    "benefit_grant": ("customer_id", "subscription_id", "order_id"),
    "checkout": ("secret", "customer_id"),
    "checkout_link": ("secret",),
    "customer": ("email_key", "external_id", "deleted_at"),
    "customer_meter": ("customer_id",),
    "customer_session": ("secret",),
    "discount": ("code_key",),
    "event": ("created_at",),
    "job": (
        "soon,next_at",
        "next_at",
        "arguments.customer_id",
        "arguments.subscription_id",
        "arguments.checkout_id",
    ),
    "order": ("customer_id", "subscription_id", "checkout_id", "status,next_payment_attempt_at"),
    "redemption": ("discount_id",),
    "refund": ("order_id", "customer_id"),
    "subscription": ("customer_id", "status"),
    "usage": ("external_id", "customer_id", "external_customer_id"),
    "webhook_delivery": ("event_id", "endpoint_id"),
    "webhook_event": ("next_at", "event_id", "endpoint_id"),
}
STATEMENTS_KEPT = 512
PLAIN_FIELD = re.compile(r"[a-z_]+")
INNER_FIELD = re.compile(r"arguments\.([a-z_]+)")


class Store:
    """Documents by kind and id. Use `transaction()` around everything that belongs together."""

    def __init__(self, path: str) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(
            path,
            check_same_thread=False,
            isolation_level=None,
            cached_statements=STATEMENTS_KEPT,
        )
        self._lock = threading.RLock()
        self._depth = 0
        self._prepare()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens, or nothing does. Inner transactions join the outer one."""
        with self._lock:
            self._depth += 1
            try:
                if self._depth == 1:
                    self._connection.execute("BEGIN IMMEDIATE")
                yield
            except BaseException:
                if self._depth == 1:
                    self._connection.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def put(self, kind: str, doc: Doc) -> Doc:
        """Insert or replace a document by its `id`, and return it."""
        with self.transaction():
            self._connection.execute(
                "INSERT INTO documents (kind, id, body) VALUES (?, ?, ?) "
                "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                (kind, doc["id"], json.dumps(doc, separators=(",", ":"), ensure_ascii=False)),
            )
        return doc

    def get(self, kind: str, key: str | None) -> Doc | None:
        """The document with this id, or None."""
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM documents WHERE kind = ? AND id = ?", (kind, key)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def need(self, kind: str, key: str | None) -> Doc:
        """The document with this id; KeyError when a reference inside the store is broken."""
        doc = self.get(kind, key)
        if doc is None:
            raise KeyError(f"{kind} {key}")
        return doc

    def first(self, kind: str, where: Mapping[str, Any], order: str = "seq") -> Doc | None:
        """The first document that matches, or None."""
        found = self.find(kind, where, order=order, limit=1)
        return found[0] if found else None

    def find(
        self,
        kind: str,
        where: Mapping[str, Any] | None = None,
        *,
        order: str = "seq",
        limit: int = -1,
        offset: int = 0,
    ) -> list[Doc]:
        """Documents that match, in order: a comma list of fields, `-` before one for descending.

        A condition is `field: value`; a list means any of them, None means null or missing, and a
        field that ends in ` <=`, ` >=`, ` >`, ` !=` or ` like` compares that way. `metadata.x` looks inside.
        """
        clause, values = _conditions(kind, where or {})
        sql = f"SELECT body FROM documents WHERE {clause} ORDER BY {_ordering(order)} LIMIT ? OFFSET ?"  # noqa: S608
        with self._lock:
            rows = self._connection.execute(sql, (*values, limit, offset)).fetchall()
        return [json.loads(row[0]) for row in rows]

    def count(self, kind: str, where: Mapping[str, Any] | None = None) -> int:
        """How many documents match."""
        clause, values = _conditions(kind, where or {})
        with self._lock:
            row = self._connection.execute(
                f"SELECT COUNT(*) FROM documents WHERE {clause}",  # noqa: S608
                values,
            ).fetchone()
        return int(row[0])

    def remove(self, kind: str, key: str) -> None:
        """Forget a document; one that is not there is fine."""
        with self.transaction():
            self._connection.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, key))

    def clear(self) -> None:
        """Forget everything."""
        with self.transaction():
            self._connection.execute("DELETE FROM documents")

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        run(
            "CREATE TABLE IF NOT EXISTS documents (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
            " kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (kind, id))"
        )
        run("CREATE INDEX IF NOT EXISTS by_kind ON documents (kind, seq)")
        wanted = {"by_kind", *_index_names()}
        for (name,) in run(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'by_%'"
        ).fetchall():
            if name not in wanted:
                run(f"DROP INDEX {name}")  # of an earlier version
        for name, (kind, fields) in _index_names().items():
            values = ", ".join(_expression(field)[0] for field in fields.split(","))
            run(
                f"CREATE INDEX IF NOT EXISTS {name} ON documents (kind, {values}) WHERE kind = '{kind}'"
            )


def _index_names() -> dict[str, tuple[str, str]]:
    """The name of each index with its kind and fields."""
    return {
        f"by_{kind}_{re.sub('[,.]', '_', fields)}": (kind, fields)
        for kind, all_fields in INDEXED.items()
        for fields in all_fields
    }


def _conditions(kind: str, where: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    clauses: list[str] = [_of_kind(kind)]
    values: list[Any] = []
    for name, value in where.items():
        field, _, comparison = name.partition(" ")
        left, path = _expression(field)
        values.extend(path)
        if isinstance(value, list | tuple | set | frozenset):
            marks = ", ".join("?" for _ in value) or "NULL"
            clauses.append(f"{left} IN ({marks})")
            values.extend(value)
        elif value is None:
            clauses.append(f"{left} IS NOT NULL" if comparison == "!=" else f"{left} IS NULL")
        else:
            clauses.append(f"{left} {_OPERATORS[comparison]} ?")
            values.append(value)
    return " AND ".join(clauses), tuple(values)


def _of_kind(kind: str) -> str:
    """The condition on the kind, written out: only then is an index of one kind considered."""
    if not PLAIN_FIELD.fullmatch(kind):
        raise ValueError(f"no kind: {kind}")
    return f"kind = '{kind}'"


_OPERATORS = {"": "=", "<=": "<=", ">=": ">=", ">": ">", "!=": "!=", "like": "LIKE"}


def _expression(field: str) -> tuple[str, list[str]]:
    """The SQL of a field; written out for plain names, as only that text matches an index."""
    if field in {"seq", "id"}:
        return field, []
    if PLAIN_FIELD.fullmatch(field):
        return f"json_extract(body, '$.{field}')", []
    if plain := INNER_FIELD.fullmatch(field):
        return f"json_extract(body, '$.arguments.{plain[1]}')", []
    head, _, inner = field.partition(".")
    if '"' in inner:
        return "NULL", []
    return "json_extract(body, ?)", [f'$.{head}."{inner}"']


def _ordering(order: str) -> str:
    parts = [part.strip() for part in order.split(",") if part.strip()]
    return ", ".join(
        f"{_expression(part.removeprefix('-'))[0]} {'DESC' if part.startswith('-') else 'ASC'}"
        for part in parts
    )
