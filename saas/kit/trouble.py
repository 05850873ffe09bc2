"""Which errors of a database are its own trouble (it is away, full, in use), and not a mistake of ours."""

import sqlite3
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneIsFree

# https://www.sqlite.org/rescode.html: in use, read-only, no input or output, not a database, full …
SQLITE_CODES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }
)
# https://www.postgresql.org/docs/current/errcodes-appendix.html: the connection, out of something, told to
# stop, the disk; a standby, no rights, somebody holds the lock. ``None``: it was never reached.
POSTGRESQL_CLASSES = (None, "08", "53", "57", "58")
POSTGRESQL_CODES = ("25006", "42501", "55P03")
POSTGRESQL_UNKNOWN = ("42P01", "42703")  # A table, a column.


def reason(error: BaseException) -> str | None:
    """Return in its own words why the database does not serve, or ``None`` when that is not it.

    Takes the errors of SQLAlchemy and those of the drivers.
    """
    if isinstance(error, NoneIsFree):
        return "every connection is in use"
    said = error.orig if isinstance(error, DBAPIError) else error
    # Without a statement it was about connecting.
    never = isinstance(error, DBAPIError) and (
        error.statement is None or error.connection_invalidated
    )
    if said is None or not (never or _is_own_trouble(said)):
        return None
    return (str(said).splitlines() or [type(said).__name__])[0]


def lacks_something(error: BaseException) -> bool:
    """True when a table or a column is not there."""
    said: Any = getattr(error, "orig", None)
    if isinstance(said, sqlite3.Error):
        return str(said).startswith("no such ") or " has no column named " in str(said)
    return getattr(said, "sqlstate", None) in POSTGRESQL_UNKNOWN


def _is_own_trouble(error: BaseException) -> bool:
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in SQLITE_CODES
    if not hasattr(error, "sqlstate"):
        return False
    code = error.sqlstate
    return (code and code[:2]) in POSTGRESQL_CLASSES or code in POSTGRESQL_CODES
