"""``flask check``: what is wrong with the configuration."""

from collections.abc import Iterator

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from saas.accounts.models import User
from saas.config import Settings, current
from saas.extensions import db, limiter
from saas.kit.redaction import redact


@click.command("check")
@with_appcontext
def check() -> None:
    """Say what is wrong with the configuration and how to mend it."""
    settings = current()
    problems = [*settings.problems(), *_database_problems()]
    for warning in [*settings.warnings(), *_what_is_away(settings)]:
        click.secho(f"- {warning}", fg="yellow")
    for problem in problems:
        click.secho(f"- {problem}", fg="red")
    if problems:
        raise SystemExit(1)
    click.secho(f"The configuration is fine ({_mode(settings)}).", fg="green")


def _database_problems() -> list[str]:
    try:
        db.session.execute(select(User.id).limit(1))
    except SQLAlchemyError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        return [
            f"The database cannot be used ({reason}). Check DATABASE_URL, then run: flask db upgrade"
        ]
    finally:
        db.session.rollback()
    return []


def _what_is_away(settings: Settings) -> Iterator[str]:
    """Say which of the servers without which the application goes on for a while cannot be used."""
    if settings.jobs_url.startswith(("redis", "unix", "postgres")):
        try:
            current_app.extensions["jobs"].check()
        except Exception as error:
            reason = redact(str(error) or type(error).__name__).splitlines()[0]
            yield f"The queue cannot be used ({reason}). Check JOBS_URL; until then jobs start later."
    if not limiter.storage.check():
        yield (
            "The store of rate limits cannot be used. Check RATE_LIMIT_STORAGE; "
            "until then each process counts alone."
        )


def _mode(settings: Settings) -> str:
    where = "the local Polar" if settings.uses_local_polar else settings.polar_url
    return f"{settings.app_env}, payments through {where}"
