"""``flask check``: what is wrong with the configuration."""

import click
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from saas.accounts.models import User
from saas.config import Settings, current
from saas.extensions import db


@click.command("check")
@with_appcontext
def check() -> None:
    """Say what is wrong with the configuration and how to mend it."""
    settings = current()
    problems = [*settings.problems(), *_database_problems()]
    for warning in settings.warnings():
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


def _mode(settings: Settings) -> str:
    where = "the local Polar" if settings.uses_local_polar else settings.polar_url
    return f"{settings.app_env}, payments through {where}"
