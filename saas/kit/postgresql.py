"""PostgreSQL that hangs costs a request a bounded time.

The options of TCP end a connection to a machine that is gone. A server or a proxy that hangs is not gone: its
kernel takes what is sent, and no answer comes. So each wait for an answer has an end on our side. A
``statement_timeout`` would be the server's business, too, and poolers such as PgBouncer refuse to be told.
"""

from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine, event

from saas.kit import beginning, patience

CONNECT_SECONDS = 5  # A hosted server that slept needs a few. psycopg takes less than 2 as 2.
CANCEL_SECONDS = 1.0  # A server that only waits for a lock lets go at once.

# What the address says after its ``?`` wins over these.
PARAMETERS = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # Milliseconds, for what was sent and never acknowledged.
}


def switch(driver: Any, *, autocommit: bool) -> None:
    """Have psycopg begin before a statement, or commit each. No server is asked.

    A connection that is broken stays as it is: the next statement will say so.
    """
    if driver.autocommit != autocommit:
        import psycopg

        with suppress(psycopg.Error):
            driver.autocommit = autocommit


def configure(engine: Engine) -> None:
    """Have the engine connect with a limit, wait for answers as long as ``patience`` says, and begin
    transactions ``lazily``."""
    if engine.dialect.name != "postgresql":
        return
    import psycopg  # SQLAlchemy has loaded it by now; an application on SQLite does without.

    class PatientConnection(psycopg.Connection[Any]):
        """Gives up after the time that is allowed where it is used: the connection is closed then."""

        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            limit = patience.seconds() if timeout is None else timeout
            try:
                return super().wait(gen, interval, limit)
            except psycopg.errors._WaitTimeout:
                if timeout is not None:
                    raise
                self._give_up()
                raise psycopg.OperationalError(f"no answer within {limit:g} seconds") from None

        def rollback(self) -> None:
            """Take back what has begun; the pool asks for it whenever it gets a connection back."""
            if self.pgconn.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                super().rollback()

        def _give_up(self) -> None:
            """Close it; what the server still does for it is called off, if it listens."""
            if psycopg.capabilities.has_cancel_safe():
                with suppress(psycopg.Error):
                    self.cancel_safe(timeout=CANCEL_SECONDS)
            self.close()

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, args: Any, parameters: dict[str, Any]) -> Any:
        limit = min(CONNECT_SECONDS, patience.seconds() or CONNECT_SECONDS)
        timeout = max(1, int(limit))  # 0 would be for ever.
        return PatientConnection.connect(
            *args, **PARAMETERS | {"connect_timeout": timeout} | parameters
        )

    def begin(connection: Connection) -> None:
        switch(connection.connection.driver_connection, autocommit=False)

    def spare(connection: Connection) -> None:
        switch(connection.connection.driver_connection, autocommit=True)

    @event.listens_for(engine, "reset")
    def given_back(driver: Any, _record: Any, _state: Any) -> None:
        switch(driver, autocommit=False)  # The next one may use it past SQLAlchemy.

    beginning.lazily(engine, lambda _: True, begin, spare)
