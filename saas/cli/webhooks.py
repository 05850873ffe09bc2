"""``flask webhooks …``: work with the deliveries in the inbox."""

import json

import click
from flask.cli import AppGroup

from saas import audit
from saas.cli import numbers
from saas.config import current
from saas.extensions import db, start_write
from saas.kit import json_text
from saas.webhooks import inbox, records
from saas.webhooks.models import OUTCOMES, Delivery

webhooks = AppGroup("webhooks", help="Work with the deliveries of Polar.")


@webhooks.command("list")
@click.option("--outcome", type=click.Choice(OUTCOMES), help="Only those with this outcome.")
@click.option("--unknown-customer", is_flag=True, help="Only those about nobody with an account.")
@numbers.newest
def show_list(outcome: str | None, unknown_customer: bool, limit: int) -> None:
    """List deliveries."""
    found = records.deliveries(outcome, limit, unknown_customer=unknown_customer)
    for delivery in found:
        click.echo(_line(delivery))
    if not found:
        click.echo("There are none.")


@webhooks.command("show")
@click.argument("delivery_id", type=numbers.ROW)
def show(delivery_id: int) -> None:
    """Print everything about one delivery."""
    delivery = _delivery(delivery_id)
    for name in ("id", "webhook_id", "type", "outcome", "attempts", "received_at", "handled_at"):
        click.echo(f"{name:16} {getattr(delivery, name)}")
    click.echo(f"{'next_attempt_at':16} {delivery.next_attempt_at}")
    for header, value in delivery.headers.items():
        click.echo(f"{header:16} {value}")
    click.echo(f"\n{_readable(delivery.body)}")
    if delivery.error:
        click.secho(f"\n{delivery.error}", fg="red")


@webhooks.command("replay")
@click.argument("delivery_ids", type=numbers.ROW, nargs=-1, required=True)
def replay(delivery_ids: tuple[int, ...]) -> None:
    """Apply deliveries again, handled or not; a newer state is never undone by that."""
    start_write()
    inbox.reopen([_delivery(delivery_id).id for delivery_id in delivery_ids])
    audit.record("delivery.replayed", deliveries=list(delivery_ids))
    db.session.commit()
    outcomes = [inbox.process(delivery_id) for delivery_id in delivery_ids]
    for delivery_id, outcome in zip(delivery_ids, outcomes, strict=True):
        click.echo(f"{delivery_id}: {outcome}")
    if "failed" in outcomes:
        raise SystemExit(1)


@webhooks.command("retry")
@click.option("--limit", type=numbers.COUNT, help="How many at most, the oldest first.")
def retry(limit: int | None) -> None:
    """Apply again every delivery that is not handled: due, waiting for its next try, or given up."""
    outcomes = inbox.retry_all(limit)
    failed = outcomes.count("failed")
    click.echo(f"{len(outcomes) - failed} applied, {failed} failed again.")
    if failed:
        raise SystemExit(1)


@webhooks.command("prune")
def prune() -> None:
    """Delete deliveries that were handled long ago (WEBHOOK_RETENTION_DAYS, at least 90)."""
    days = records.retention_days(current().webhook_retention_days)
    click.echo(f"Deleted {records.prune(days)} that were handled more than {days} days ago.")


def _delivery(delivery_id: int) -> Delivery:
    found = records.delivery(delivery_id)
    if found is None:
        raise click.ClickException(f"There is no delivery {delivery_id}.")
    return found


def _line(delivery: Delivery) -> str:
    reason = (delivery.error or "").splitlines()[:1]
    words = [f"{delivery.id:>7}", f"{delivery.received_at:%Y-%m-%d %H:%M:%S}"]
    words += [f"{delivery.outcome:8}", delivery.type, *reason]
    return "  ".join(words)


def _readable(body: bytes) -> str:
    try:
        return json.dumps(json_text.read(body), indent=2)
    except ValueError:
        return repr(body)
