"""The test database: emptied between tests, never dropped."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sqlalchemy import (
    CompoundSelect,
    Engine,
    create_engine,
    event,
    exists,
    literal,
    make_url,
    select,
    text,
    union_all,
)

from saas.extensions import db, start_write


def wait_for_no_disk(engine: Engine) -> None:
    """Let a commit to a file of SQLite not wait for the disk: nothing here outlives a crash."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda made, _: made.execute("PRAGMA synchronous = OFF"))


def empty_database() -> None:
    """Delete every row of every table."""
    start_write()
    filled = set(db.session.scalars(_filled()))
    for table in reversed(db.metadata.sorted_tables):
        if table.name in filled:
            db.session.execute(table.delete())
    db.session.commit()
    db.session.remove()


@cache
def _filled() -> CompoundSelect[tuple[str]]:
    """Ask for the names of the tables with rows, all at once: most are empty after most tests."""
    tables = db.metadata.sorted_tables
    return union_all(*(select(literal(t.name)).where(exists().select_from(t)) for t in tables))


@contextmanager
def empty_copy(url: str) -> Iterator[str]:
    """A database of the same kind without a table; gone at the end."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/empty.db"
        return
    name = f"{parts.database}_{secrets.token_hex(4)}"
    engine = create_engine(parts.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
        try:
            yield parts.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    engine.dispose()
