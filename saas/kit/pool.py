"""Connections of a pool that have been idle are asked whether they still live; busy ones are trusted.

SQLAlchemy's ``pool_pre_ping`` asks every time, one more way to the server and back for each request.
"""

import time
from typing import Any

from sqlalchemy import Engine, event, exc

from saas.kit import patience

IDLE_SECONDS = (
    1.0  # A restart of the server or a firewall shows up after a pause, seldom in the middle.
)
PING_SECONDS = 2.0  # For the way to the server and back.
LAST_USED = "last_used"


def ask_the_idle(engine: Engine) -> None:
    """Replace a dead connection before a request gets it. For servers; a file needs no asking."""
    if engine.dialect.name == "sqlite":
        return

    @event.listens_for(engine, "checkin")
    def checked_in(_connection: Any, record: Any) -> None:
        record.info[LAST_USED] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def checked_out(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get(LAST_USED, time.monotonic()) < IDLE_SECONDS:
            return
        try:
            with patience.within(PING_SECONDS):
                engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error:
            # Another one of the pool may be as dead: the pool opens new ones for all of them.
            raise exc.InvalidatePoolError from None
