"""Statements that SQLAlchemy puts together once and the driver runs each time.

For the few that every signed-in page runs: to run a statement that it knows takes SQLAlchemy longer than the
database needs for the answer. Everything else is better off with a session.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Dialect, Engine, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError

from saas.kit import patience, postgresql
from saas.kit.beginning import READS_ALONE

Rows = Sequence[Sequence[Any]]
Converter = Callable[[Any], Any]

AGAIN_SECONDS = 2.0  # For a second try, after a first one that took as long.
WATCHED = (
    "engine_connect",
    "begin",
    "before_execute",
    "after_execute",
    "before_cursor_execute",
    "after_cursor_execute",
)
WATCHED_BY_US = 2  # Of these, in `beginning`.
WATCHED_IN_SESSIONS = ("after_begin", "do_orm_execute", "loaded_as_persistent")


class DeadConnection(Exception):
    """The connection that the pool gave us was none any more."""


class CompiledSelect:
    """A ``SELECT`` for all who ask for the same, with other values of its parameters.

    ``make`` returns the statement; it is called once. What that reads is whole by itself (``READS_ALONE``),
    and no parameter is a list. The rows are those that SQLAlchemy would return, with the types of Python.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._statement: Any = None
        self._prepared: WeakKeyDictionary[Dialect, _Prepared] = WeakKeyDictionary()

    @property
    def statement(self) -> Any:
        """The statement itself, for a session."""
        if self._statement is None:
            self._statement = self._make().execution_options(**{READS_ALONE: True})
        return self._statement

    def rows(self, db: SQLAlchemy, values: Mapping[str, Any]) -> Rows:
        """Return what it finds: in the transaction of the session where one has begun, else by itself.

        Raises what SQLAlchemy raises. A connection that turns out to be dead is replaced, once. Whoever
        watches the engine or its sessions, by ``echo`` or with a listener, sees this one, too.
        """
        session = db.session
        if needs_session(db) or (session.registry.has() and session().in_transaction()):
            return session.connection().execute(self.statement, values).all()
        return self.rows_alone(db.engine, values)

    def rows_alone(self, engine: Engine, values: Mapping[str, Any]) -> Rows:
        """Return what it finds by itself, for who knows that no session is needed. See ``rows``."""
        if is_watched(engine):
            return self._by_sqlalchemy(engine, values)
        began = time.monotonic()
        try:
            return self._for(engine.dialect).run(engine, values)
        except (
            DeadConnection
        ):  # There may be more of them in the pool; SQLAlchemy throws them away.
            if time.monotonic() - began < AGAIN_SECONDS:
                return self._by_sqlalchemy(engine, values)
            with patience.within(AGAIN_SECONDS):  # Nobody waits for the same twice.
                return self._by_sqlalchemy(engine, values)

    def _by_sqlalchemy(self, engine: Engine, values: Mapping[str, Any]) -> Rows:
        with engine.connect() as connection:
            return connection.execute(self.statement, values).all()

    def _for(self, dialect: Dialect) -> "_Prepared":
        found = self._prepared.get(dialect)
        if found is None:
            found = self._prepared[dialect] = _Prepared(self.statement, dialect)
        return found


def needs_session(db: SQLAlchemy) -> bool:
    """True when a session does more than to run a statement.

    Somebody may listen, who hides rows or tells the database whom it is for. Or all of it is to happen on one
    connection, in a transaction that a test takes back.
    """
    listeners = _example(db.session.session_factory).dispatch
    is_heard = any(getattr(listeners, event) for event in WATCHED_IN_SESSIONS)
    return is_heard or not isinstance(db.engine, Engine)


@lru_cache(maxsize=1)
def _example(make: Callable[[], Any]) -> Any:
    return make()  # Only a session knows who listens to all of its class.


def is_watched(engine: Engine) -> bool:
    """True when somebody wants to see the statements of an engine, or has options for them."""
    if engine.logger.isEnabledFor(logging.INFO) or engine.get_execution_options():
        return True
    return sum(len(getattr(engine.dispatch, event)) for event in WATCHED) > WATCHED_BY_US


class _Prepared:
    """The text for one kind of database, and how values get into it and out of what it finds."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise ValueError("a list as a parameter would be another text each time")
        self.text = str(compiled)
        self.is_by_position: bool = compiled.positional
        self.defaults = {
            name: bind.value for name, bind in compiled.binds.items() if not bind.required
        }
        self.parameters: list[tuple[str, Converter | None]] = [
            (name, _in_dialect(compiled.binds[name], dialect).bind_processor(dialect))
            for name in (compiled.positiontup or compiled.binds)
        ]
        self.columns = [_in_dialect(column, dialect) for column in statement.selected_columns]
        self.dialect = dialect
        self.errors: type[Any] = dialect.loaded_dbapi.Error
        self.results: list[tuple[int, Converter]] | None = None

    def run(self, engine: Engine, values: Mapping[str, Any]) -> Rows:
        """Return the rows. Raises ``DBAPIError`` or ``DeadConnection``, and throws the connection away."""
        parameters = self._parameters(values)
        connection, cursor = self._connection(engine), None
        driver: Any = connection.driver_connection
        try:
            if self.dialect.name == "postgresql":
                postgresql.switch(driver, autocommit=True)  # Until the pool has it back.
            cursor = driver.cursor()
            cursor.execute(self.text, parameters)
            results = self.results
            if results is None:
                results = self.results = self._results(cursor.description)
            found = cursor.fetchall()
            cursor.close()
        except self.errors as error:
            is_dead = self.dialect.is_disconnect(error, driver, cursor)
            connection.invalidate(error)
            raise (DeadConnection() if is_dead else self._in_words(error)) from error
        except BaseException as error:
            connection.invalidate(error)
            raise
        connection.close()
        return [_converted(row, results) for row in found]

    def _connection(self, engine: Engine) -> PoolProxiedConnection:
        try:
            return engine.raw_connection()
        except self.errors as error:
            raise self._in_words(error) from error

    def _in_words(self, error: Exception) -> BaseException:
        """Return the error of the driver as SQLAlchemy raises it, with the statement and no values."""
        return DBAPIError.instance(self.text, None, error, self.errors, dialect=self.dialect)

    def _parameters(self, values: Mapping[str, Any]) -> Any:
        given = {**self.defaults, **values} if self.defaults else values
        pairs = [
            (name, convert(given[name]) if convert else given[name])
            for name, convert in self.parameters
        ]
        return [value for _, value in pairs] if self.is_by_position else dict(pairs)

    def _results(self, description: Sequence[Any]) -> list[tuple[int, Converter]]:
        pairs = enumerate(zip(self.columns, description, strict=True))
        found = [
            (index, column.result_processor(self.dialect, about[1]))
            for index, (column, about) in pairs
        ]
        return [(index, convert) for index, convert in found if convert]


def _in_dialect(typed: Any, dialect: Dialect) -> Any:
    return typed.type.dialect_impl(dialect)


def _converted(row: Sequence[Any], results: list[tuple[int, Converter]]) -> Sequence[Any]:
    values = list(row)
    for index, convert in results:
        values[index] = convert(values[index])
    return values
