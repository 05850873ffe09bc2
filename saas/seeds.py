"""``flask seed``: what a fresh development database needs to be looked at."""

import time

import click
from flask import Flask
from flask.cli import with_appcontext

from saas.accounts import passwords, service
from saas.accounts.models import User
from saas.billing import gateway, reconcile
from saas.config import current
from saas.extensions import db

DEMO_EMAIL = "demo@example.com"
DEMO_PASSWORD = "correct horse battery"  # noqa: S105 - printed on purpose, development only
PATIENCE_SECONDS = 10.0  # The local Polar starts at the same time as the application.


def init_app(app: Flask) -> None:
    """Register the command."""
    app.cli.add_command(seed)


@click.command("seed")
@with_appcontext
def seed() -> None:
    """Fill the catalogue from Polar and, in development, make a demo account. Safe to repeat."""
    click.echo(f"Catalogue: {_catalogue()} products.")
    if current().is_production:
        return
    _demo_account()
    click.echo(f"Demo account: {DEMO_EMAIL}, password: {DEMO_PASSWORD}")


def _demo_account() -> None:
    if service.find(DEMO_EMAIL) is not None:
        return
    user = User(email=DEMO_EMAIL, password_hash=passwords.hash_password(DEMO_PASSWORD))
    user.confirm_email()
    db.session.add(user)
    db.session.commit()


def _catalogue() -> int:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return reconcile.refresh_catalogue()
        except gateway.PolarUnavailable as error:
            if time.monotonic() > deadline:
                raise click.ClickException(f"Polar does not answer. {error.explained}") from None
            time.sleep(0.3)
        except gateway.PolarError as error:
            raise click.ClickException(f"Polar refuses. {error.explained}") from None
