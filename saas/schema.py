"""Which tables the database has: those of this release, or those of another one, or none."""

from functools import cache

from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from saas.config import ROOT
from saas.extensions import db
from saas.kit import trouble
from saas.kit.migrating import are_newer

COMMAND = "flask db upgrade"


@cache
def heads() -> frozenset[str]:
    """Return the newest migrations of this release."""
    from alembic.config import Config  # Commands start sooner without it; gunicorn loads it first.
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return frozenset(ScriptDirectory.from_config(config).get_heads())


def found() -> frozenset[str]:
    """Return the migrations that the database is at; none when it has no tables of ours."""
    if not inspect(db.session.connection()).has_table("alembic_version"):
        return frozenset()
    rows = db.session.execute(text("SELECT version_num FROM alembic_version"))
    return frozenset(row[0] for row in rows)


def is_enough(at: frozenset[str]) -> bool:
    """True when this release can work with it. Migrations only add, so a newer database is fine."""
    return at == heads() or are_newer(at, heads())


def explain(error: BaseException) -> str | None:
    """Return a sentence when the database or the queue cannot serve, or ``None`` for another error."""
    if why := trouble.reason(error):
        # Only the queue is reached without SQLAlchemy.
        what = "database" if isinstance(error, SQLAlchemyError) else "queue"
        return f"The {what} cannot be used: {why}."
    if trouble.lacks_something(error):
        db.session.rollback()
        if not is_enough(found()):
            return f"The database lacks tables of this release. Run: {COMMAND}"
    return None
