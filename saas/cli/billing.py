"""``flask billing …``: look at subscriptions and bring them in line with Polar."""

import json
from collections import Counter
from datetime import datetime, timedelta

import click
from flask.cli import AppGroup

from saas import audit
from saas.accounts import service
from saas.accounts.models import User
from saas.billing import (
    address_at_polar,
    address_news,
    entitlements,
    gateway,
    notices,
    orphans,
    pace,
    reconcile,
    redelivery,
    strangers,
    subscriptions,
    survey,
    vanished,
)
from saas.billing.differences import Difference
from saas.billing.rehearsal import Rehearsal
from saas.cli import numbers
from saas.config import current
from saas.errors import AppError
from saas.extensions import db
from saas.kit.datetimes import utcnow

LOGGED = 50  # Differences in one entry of the audit log; the rest is in the output.

billing = AppGroup("billing", help="Look at subscriptions and bring them in line with Polar.")


@billing.command("status")
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def status(email: str, as_json: bool) -> None:
    """Print the plan, features and subscriptions of EMAIL by now, from our copy."""
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
            {"id": found.polar_id, "status": found.standing} for found in subscriptions.of(user)
        ],
    }
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        click.echo(f"{name:14} {json.dumps(value) if isinstance(value, list | dict) else value}")


@billing.command("notices")
def send_notices() -> None:
    """Have the mails sent that are due, and tell Polar of new e-mail addresses. The worker does both."""
    click.echo(f"{notices.run()} mails on their way.")
    click.echo(f"{address_news.run()} new addresses told to Polar.")


@billing.command("addresses")
def list_addresses() -> None:
    """List customers whose address at Polar is not that of their account, and why."""
    found = address_at_polar.everybody()
    for each in found:
        click.echo(f"{each.own}  at Polar: {each.address}  {each.state}")
    if not found:
        click.echo("Every customer has the same address here and at Polar.")


@billing.command("sync")
@click.argument("email", required=False)
@click.option("--dry-run", is_flag=True, help="Only say what is different.")
@click.option("--restart", is_flag=True, help="Begin anew, even if the last run was interrupted.")
def sync(email: str | None, dry_run: bool, restart: bool) -> None:
    """Compare EMAIL, or every customer, with Polar and heal what is different."""
    try:
        with pace.keeping(pace.for_this_polar()):
            if email:
                _sync_one(_user(email), dry_run)
            else:
                _sync_all(dry_run, restart)
    except gateway.PolarError as error:
        raise click.ClickException(
            f"Polar did not answer as it should. {error.explained}"
        ) from None
    except AppError as error:
        raise click.ClickException(error.message) from None


@billing.command("replay")
@click.option(
    "--days",
    type=numbers.KEPT_DAYS,
    default=30,
    show_default=True,
    help="How far to look back; Polar keeps 90.",
)
def replay(days: int) -> None:
    """Ask Polar to send again what never arrived here."""
    since: datetime = utcnow() - timedelta(days=days)
    try:
        with pace.keeping(pace.for_this_polar()):
            asked = redelivery.ask(since)
    except gateway.PolarError as error:
        raise click.ClickException(
            f"Polar did not answer as it should. {error.explained}"
        ) from None
    for kind, webhook_id in asked:
        click.echo(f"{webhook_id}  {kind}")
    click.echo(
        f"Asked Polar to send {len(asked)} again."
        if asked
        else "Polar reports nothing that failed."
    )


def _sync_one(user: User, dry_run: bool) -> None:
    user_id, user_public_id, address = user.id, user.public_id, user.email
    rehearsal = Rehearsal() if dry_run else None
    found = survey.read_catalogue(rehearsal)
    stranger = strangers.read(db.session.get_one(User, user_id))
    found += reconcile.keep(stranger, rehearsal)
    unlinked = [] if dry_run else survey.link_strangers(user_id)
    reading = reconcile.read_user(db.session.get_one(User, user_id))
    found += unlinked + reconcile.keep(reading, rehearsal)
    found += vanished.settle_user(db.session.get_one(User, user_id), reading, rehearsal)
    _report(found, dry_run, user_public_id)
    if not stranger.is_empty and not unlinked:
        what = "would be" if dry_run else "was"
        click.echo(
            f"{address}: the customer at Polar with this address {what} linked to the account"
        )
    elif reading.is_empty:
        click.echo(f"{address}: not a customer at Polar")
    if not reading.is_empty:
        entitled = entitlements.for_user(db.session.get_one(User, user_id))
        click.echo(f"{address}: {entitled.plan.key}, {entitled.status}")
    _fail_for(found)


def _sync_all(dry_run: bool, restart: bool) -> None:
    plan = survey.prepare(dry_run=dry_run, restart=restart)
    click.echo(_announcement(plan))
    with click.progressbar(length=plan.calls, label="Reading") as bar:
        found = survey.run(plan, bar.update)
    _report(found, dry_run)
    for address in strangers.would_be_linked(plan.rehearsal) if plan.rehearsal else ():
        click.echo(
            f"{address}: a customer at Polar with this address would be linked to the account"
        )
    for orphan in orphans.found():
        click.secho(f"! {orphan}", fg="red")
    _fail_for(found)


def _announcement(plan: survey.Plan) -> str:
    rate = pace.calls_per_minute(current())
    seconds = plan.calls * 60 / rate
    length = f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"
    words = f"{plan.calls} calls, at least {length} at {rate:.0f} calls a minute."
    if not plan.is_resumed:
        return words
    missing = plan.calls - plan.again
    return (
        f"Going on with the run that was interrupted: {words}\nFirst comes what it had not read ({missing}), "
        f"then once more what it had ({plan.again}), which may have changed since."
    )


def _report(found: list[Difference], dry_run: bool, public_id: str = "") -> None:
    for difference in found:
        click.echo(f"- {difference}")
    differing = [difference for difference in found if not difference.problem]
    what = f"{len(differing)} difference{'' if len(differing) == 1 else 's'}"
    if not found:
        click.echo("Our copy agrees with Polar.")
    elif differing and dry_run:
        click.echo(f"{what} found; nothing was changed.")
    elif differing:
        click.echo(f"{what} found and healed.")
        words = [str(difference) for difference in found[:LOGGED]]
        action = "user.synced" if public_id else "billing.synced"
        audit.record(action, public_id, differences=words, count=len(found))
        db.session.commit()
    undone = Counter(difference.undone for difference in found if difference.problem)
    for verb, count in sorted(undone.items()):
        click.echo(f"{count} could not be {verb} and stays as it was.")


def _fail_for(found: list[Difference]) -> None:
    """End with 1 when somebody has paid for what could not be given to them."""
    if any(difference.undone == "linked" for difference in found):
        raise click.exceptions.Exit(1)


def _user(email: str) -> User:
    user = service.find(email)
    if user is None:
        raise click.ClickException(f"Nobody has signed up as {email}.")
    return user
