"""``flask users …``: who works here."""

import click
from flask.cli import AppGroup

from saas import audit
from saas.accounts import service, staff
from saas.accounts.models import User
from saas.extensions import db, start_write

users = AppGroup("users", help="Say who works here.")


@users.command("staff")
@click.argument("email", required=False)
@click.option("--revoke", is_flag=True, help="Make them an ordinary user again, signed out.")
def make_staff(email: str | None, revoke: bool) -> None:
    """Let EMAIL open the staff pages. Without EMAIL, list who may."""
    if email is None:
        _list()
        return
    start_write()
    user = _user(email)
    if revoke:
        staff.dismiss(user)
    else:
        staff.appoint(user)
    audit.record("staff.dismissed" if revoke else "staff.appointed", user.public_id)
    db.session.commit()
    click.echo(
        f"{user.email} is an ordinary user now, and signed out everywhere."
        if revoke
        else f"{user.email} may open the staff pages, at /staff."
    )


def _list() -> None:
    found = staff.everybody()
    for user in found:
        click.echo(f"{user.email}, since {user.staff_since:%Y-%m-%d}")
    if not found:
        click.echo("Nobody is staff yet.")


def _user(email: str) -> User:
    user = service.find(email)
    if user is None:
        raise click.ClickException(f"Nobody has signed up as {email}.")
    if not user.has_confirmed_email:
        raise click.ClickException(f"{email} is not confirmed yet; whose it is nobody knows.")
    return user
