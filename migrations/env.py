"""How Alembic reaches our database and what it compares. Called by ``flask db …``."""

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from saas.kit.datetimes import UTCDateTime

database = current_app.extensions["migrate"].db


def render_item(kind: str, item: Any, autogen_context: Any) -> str | bool:
    """Write our column types as plain SQLAlchemy ones, so that old migrations never import code."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def drop_empty(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Write no migration when nothing changed."""
    if (
        getattr(context.config.cmd_opts, "autogenerate", False)
        and directives[0].upgrade_ops.is_empty()
    ):
        directives[:] = []


def run(connection: Connection | None, **options: Any) -> None:
    """Run the migrations over ``connection``, or print them as SQL when there is none."""
    context.configure(
        connection=connection,
        target_metadata=database.metadata,
        render_item=render_item,
        process_revision_directives=drop_empty,
        compare_type=True,
        compare_server_default=True,
        render_as_batch=True,
        **options,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    url = database.engine.url.render_as_string(hide_password=False)
    run(None, url=url, literal_binds=True)
else:
    with database.engine.connect() as live:
        run(live)
