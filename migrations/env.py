"""How Alembic reaches our database and what it compares. Called by ``flask db …``."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

from saas.kit.datetimes import UTCDateTime
from saas.kit.migrating import are_newer, next_number

database = current_app.extensions["migrate"].db

ONE_AT_A_TIME = 7_610_214  # Any number that nothing else locks in this database.
LOCK_SECONDS = 5  # A change that waits for a lock holds up every query behind it; better to fail.


def render_item(kind: str, item: Any, autogen_context: Any) -> str | bool:
    """Write our column types as plain SQLAlchemy ones, so that old migrations never import code."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def prepare_new(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Write no migration when nothing changed, and number the one that is written.

    By the number a release knows that a database is ahead of it, so an id by chance will not do.
    """
    new = directives[0]
    command = click.get_current_context(silent=True)
    chosen = command.params.get("rev_id") if command else None  # Alembic's own may be digits, too.
    if getattr(context.config.cmd_opts, "autogenerate", False) and new.upgrade_ops.is_empty():
        directives[:] = []
    elif not (chosen or "").isdecimal():
        known = [script.revision for script in context.script.walk_revisions()]
        new.rev_id = next_number(known)


def is_ours(kind_name: str | None, kind: str, _parents: Any) -> bool:
    """Leave alone what is no table of a model: huey keeps its queue beside ours on PostgreSQL."""
    return kind != "table" or kind_name in database.metadata.tables


def run(connection: Connection | None, **options: Any) -> None:
    """Run the migrations over ``connection``, or print them as SQL when there is none."""
    context.configure(
        connection=connection,
        target_metadata=database.metadata,
        render_item=render_item,
        process_revision_directives=prepare_new,
        include_name=is_ours,
        compare_type=True,
        compare_server_default=True,
        render_as_batch=True,
        **options,
    )
    if connection is not None and is_left_behind():
        return
    with context.begin_transaction():
        context.run_migrations()


def is_left_behind() -> bool:
    """True, with a sentence, when a later release has migrated and this one would bring it to its newest.

    Every start begins with that, also of a release that somebody went back to, or of a machine whose turn
    in a rolling release has not come; and it works with the new tables. Any other wish stays an error.
    """
    found, heads = context.get_context().get_current_heads(), context.script.get_heads()
    wanted = context.get_context().opts.get("destination_rev")
    if wanted not in {"head", "heads"} or not are_newer(found, heads):
        return False
    at, newest = ", ".join(found), ", ".join(heads)
    click.echo(
        f"A later release has migrated the database to {at}; this one knows {newest}. Nothing to do."
    )
    return True


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Let a second machine that migrates wait until the first is done, and then find nothing to do.

    It asks again and again, because a waiting query would stop CREATE INDEX CONCURRENTLY for ever.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    key = {"key": ONE_AT_A_TIME}
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key):
        connection.rollback()
        time.sleep(0.2)
    connection.execute(text(f"SET lock_timeout = '{LOCK_SECONDS}s'"))
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("RESET lock_timeout"))
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
        connection.commit()


@contextmanager
def without_cascades(connection: Connection) -> Iterator[None]:
    """Let SQLite change a table, which it does by copying and dropping it, without deleting what hangs on it.

    Only outside of a transaction; see https://www.sqlite.org/lang_altertable.html#otheralter
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        connection.rollback()
        driver.execute("PRAGMA foreign_keys = ON")


if context.is_offline_mode():
    url = database.engine.url.render_as_string(hide_password=False)
    run(None, url=url, literal_binds=True)
else:
    with database.engine.connect() as live, alone(live), without_cascades(live):
        run(live)
