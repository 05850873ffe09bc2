"""The commands: ``flask billing …``, ``flask webhooks …``, ``flask check``."""

import json
import sys

import click
from flask import Flask
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from saas.accounts import service
from saas.accounts.models import User
from saas.billing import entitlements, gateway, reconcile, summary
from saas.config import Settings, current
from saas.extensions import db
from saas.webhooks import inbox

DIAGNOSIS = ("check",)

billing = AppGroup("billing", help="Look at subscriptions and bring them in line with Polar.")
webhooks = AppGroup("webhooks", help="Work with the deliveries of Polar.")


def init_app(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(billing)
    app.cli.add_command(webhooks)
    app.cli.add_command(check)


def is_diagnosis() -> bool:
    """True when the command line asks what is wrong, so that a wrong setting must not end it first."""
    return "flask" in sys.argv[0] and any(word in DIAGNOSIS for word in sys.argv[1:])


@billing.command("status")
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def status(email: str, as_json: bool) -> None:
    """Print the plan, features and subscriptions of EMAIL, from our copy."""
    user = _user(email)
    entitled = entitlements.for_user(user)
    facts = {
        "email": user.email,
        "external_id": user.public_id,
        "plan": entitled.plan.key,
        "plan_name": entitled.plan.name,
        "status": entitled.status,
        "features": sorted(entitled.features),
        "limits": entitled.limits,
        "subscriptions": [
            {"id": found.polar_id, "status": found.status} for found in summary.subscriptions(user)
        ],
    }
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        click.echo(f"{name:14} {json.dumps(value) if isinstance(value, list | dict) else value}")


@billing.command("sync")
@click.argument("email", required=False)
def sync(email: str | None) -> None:
    """Read the catalogue and the subscriptions of EMAIL, or of every user, from Polar."""
    try:
        click.echo(f"Catalogue: {reconcile.refresh_catalogue()} products.")
        users = (
            [_user(email)] if email else list(db.session.scalars(select(User).order_by(User.id)))
        )
        for address, user_id in [(user.email, user.id) for user in users]:
            known = reconcile.pull_user(db.session.get_one(User, user_id))
            entitled = entitlements.for_user(db.session.get_one(User, user_id))
            words = (
                f"{entitled.plan.key}, {entitled.status}" if known else "not a customer at Polar"
            )
            click.echo(f"{address}: {words}")
    except gateway.PolarError as error:
        raise click.ClickException(f"Polar did not answer as it should. {error.detail}") from None


@webhooks.command("retry")
@click.option("--limit", default=100, show_default=True, help="How many at most.")
def retry(limit: int) -> None:
    """Apply again the deliveries that failed and are due."""
    outcomes = inbox.retry_due(limit)
    failed = outcomes.count("failed")
    click.echo(f"{len(outcomes) - failed} applied, {failed} failed again.")
    if failed:
        raise SystemExit(1)


@click.command("check")
@with_appcontext
def check() -> None:
    """Say what is wrong with the configuration and how to mend it."""
    settings = current()
    problems = [*settings.problems(), *_database_problems()]
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


def _user(email: str) -> User:
    user = service.find(email)
    if user is None:
        raise click.ClickException(f"Nobody has signed up as {email}.")
    return user
