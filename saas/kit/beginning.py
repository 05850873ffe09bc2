"""A transaction begins with the first statement that needs one.

What a statement with ``READS_ALONE`` reads is whole by itself, and it neither locks nor writes anything:
as long as no transaction has begun it is run outside of one. Such are both statements of every signed-in
page; on PostgreSQL a page that needs no other saves two of four ways to the server and back. Every other
statement finds itself in a transaction, as ever.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event

READS_ALONE = "reads_alone"  # An execution option of a SELECT, with the value True.
AHEAD = "transaction_ahead"


def lazily(
    engine: Engine,
    prepare: Callable[[Connection], bool],
    begin: Callable[[Connection], None],
    spare: Callable[[Connection], None] | None = None,
) -> None:
    """Call ``begin`` before the first statement that needs a transaction.

    Before those that come earlier and need none, ``spare`` is called. ``prepare`` is called where SQLAlchemy
    has a transaction begin, and returns whether there is one to begin later. Nothing happens where an
    isolation level was asked for: with ``AUTOCOMMIT`` there is none.
    """

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        is_asked_for = "isolation_level" in connection.get_execution_options()
        connection.info[AHEAD] = not is_asked_for and prepare(connection)

    @event.listens_for(engine, "before_cursor_execute")
    def executing(connection: Connection, *call: Any) -> None:
        context = call[3]
        if not connection.info.get(AHEAD):
            return
        if context is None or not context.execution_options.get(READS_ALONE):
            connection.info[AHEAD] = False
            begin(connection)
        elif spare:
            spare(connection)
