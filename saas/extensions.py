"""Flask extensions, created here without an application and bound to one in ``app.py``."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar, cast

from flask_limiter.util import get_remote_address
from flask_mailman import Mail
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ColumnElement, Interval, Table, func, literal, type_coerce
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from saas.kit import early
from saas.kit.csrf import SparingCSRFProtect
from saas.kit.datetimes import UTCDateTime, utcnow
from saas.kit.limiting import DecoratedLimiter
from saas.kit.migrating import LazyMigrate
from saas.kit.models import Base
from saas.kit.remembering import LoginManager

T = TypeVar("T")

TRIES = 4
RACES = ("40001", "40P01")  # PostgreSQL: serialization failure, deadlock.

db = SQLAlchemy(metadata=Base.metadata)
early.attach_the_waiting(db)
migrate = LazyMigrate()
login_manager = LoginManager()
mail = Mail()
csrf = SparingCSRFProtect()

# Without the fall-back an outage of Redis would lock everybody out; with it each process counts alone.
limiter = DecoratedLimiter(key_func=get_remote_address, in_memory_fallback_enabled=True)


def start_write() -> None:
    """Take the write lock before the first read of this transaction.

    On SQLite a transaction that reads first and writes later fails at once when somebody else wrote
    in between; one that begins as a writer waits its turn instead. Elsewhere it does nothing.
    Call it first in a transaction that reads in order to write, and never hold it over the network.
    """
    db.session.rollback()
    db.session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})


def settled(transaction: Callable[[], T]) -> T:
    """Do a whole transaction, which begins and ends in here, and do it again when it lost a race.

    PostgreSQL ends one of two transactions that wait for each other and asks to repeat it; a lost connection
    is the same. What is not a race is raised at once, and after ``TRIES`` everything is.
    """
    for _ in range(TRIES - 1):
        try:
            return transaction()
        except DBAPIError as error:
            db.session.rollback()
            if not (error.connection_invalidated or getattr(error.orig, "sqlstate", "") in RACES):
                raise
    return transaction()


def insert(table: Table) -> postgresql.Insert:
    """Return an ``INSERT`` that can say ``ON CONFLICT``, in the dialect of the database.

    SQLite and PostgreSQL have separate classes for it with the same methods; the type names one.
    """
    if db.engine.dialect.name == "sqlite":
        return cast(postgresql.Insert, sqlite.insert(table))
    return postgresql.insert(table)


def shared_now(shift: timedelta = timedelta()) -> ColumnElement[datetime]:
    """Return, as part of a statement, the present moment by the clock that all machines share, and a shift.

    It is for what one machine writes and another one judges by the half minute, since their own clocks may
    be further apart than that. PostgreSQL has that clock; where SQLite is, there is one machine.
    """
    if db.engine.dialect.name == "sqlite":
        return literal(utcnow() + shift, UTCDateTime())
    return type_coerce(func.clock_timestamp() + literal(shift, Interval()), UTCDateTime())
