"""What waits for the next invoice: the difference of a switch that was not charged at once.

Polar has no call that tells it. So a change of plan within a period is written down with what it comes to,
by Polar's rule, as soon as our copy shows it, whoever made it; the next order of the subscription settles it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, cast

from sqlalchemy import BigInteger, String, Table, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from saas.billing.models import POLAR_ID, Order, Subscription
from saas.extensions import db, insert
from saas.kit.datetimes import UTCDateTime, utcnow
from saas.kit.models import Base
from saas.kit.money import format_money
from saas.templating import day

CHARGED = frozenset({"active", "past_due"})  # On trial nothing was paid that could be given back.
COMPARED = (
    Subscription.polar_id,
    Subscription.product_id,
    Subscription.amount,
    Subscription.status,
    Subscription.current_period_start,
    Subscription.modified_at,
    Subscription.observed_at,
)
A_MOMENT = timedelta(seconds=10)  # An order that pays for a switch may be a little older than it.


class PriceChange(Base):
    """Another plan within a period. ``amount`` is what its rest costs more, or less, in minor units."""

    __tablename__ = "billing_price_changes"

    subscription_id: Mapped[str] = mapped_column(POLAR_ID, primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    period_start: Mapped[datetime] = mapped_column(UTCDateTime)
    product_id: Mapped[str] = mapped_column(POLAR_ID)
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(8))


def share(amount: int, start: datetime, end: datetime, at: datetime) -> int:
    """Return the part of an amount for the rest of a period, by the second, halves rounded up."""
    length = (end - start).total_seconds()
    left = min(max((end - at).total_seconds(), 0), length)
    part = Fraction(left) / Fraction(length) if length > 0 else Fraction(0)
    return int((Fraction(amount) * part + Fraction(1, 2)) // 1)


def of(subscription: Subscription) -> list[PriceChange]:
    """Return the changes of the present period, or of the one before a pause, that no order has settled."""
    end = subscription.current_period_end
    is_over = end is not None and end <= utcnow() and not subscription.is_paused
    if is_over or not subscription.is_current:
        return []
    mine = PriceChange.subscription_id == subscription.polar_id
    present = PriceChange.period_start == subscription.current_period_start
    changes = db.session.scalars(select(PriceChange).where(mine, present).order_by(PriceChange.at))
    found = list(changes)
    if not found:
        return []
    orders = db.session.scalars(
        select(Order).where(
            Order.customer_id == subscription.customer_id,  # It has an index.
            Order.subscription_id == subscription.polar_id,
            Order.billing_reason == "subscription_update",
        )
    ).all()
    return [change for change in found if not any(_settles(order, change) for order in orders)]


def total(subscription: Subscription) -> int:
    """Return what waits, in minor units; less than nothing is a credit."""
    return sum(change.amount for change in of(subscription))


def words(subscription: Subscription) -> list[str]:
    """Say what waits, a sentence for each change."""
    when, less = "is on your next invoice", "comes off your next invoice"
    if subscription.is_paused:
        when = "is charged when it resumes"
    elif subscription.cancel_at_period_end:
        when = f"is charged on {day(subscription.ends_at or subscription.current_period_end)}"
        less = "is kept as your credit"  # No invoice comes that it could come off.
    return [
        f"About {_money(change)} from the switch on {day(change.at)} "
        f"{when if change.amount > 0 else less}."
        for change in of(subscription)
        if change.amount
    ]


def note(incoming: Iterable[Mapping[str, Any]]) -> None:
    """Write down the changes of plan between our copy and newer snapshots, before these replace it."""
    snapshots = {str(values["polar_id"]): values for values in incoming}
    stored = select(*COMPARED).where(Subscription.polar_id.in_(snapshots))
    in_order = stored.order_by(Subscription.polar_id)  # So that nobody waits for each other.
    rows = [
        change
        for before in db.session.execute(in_order.with_for_update())
        if (change := _between(before, snapshots[before.polar_id]))
    ]
    table = cast(Table, PriceChange.__table__)
    for row in rows:
        mine = table.c.subscription_id == row["subscription_id"]
        of_old = table.c.period_start != row["period_start"]  # Settled when that period ended.
        db.session.execute(delete(table).where(mine, of_old))
        db.session.execute(insert(table).values(row).on_conflict_do_nothing())


def _between(before: Any, now: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the change of plan, if there was one in a period that was paid and went on."""
    start, end = before.current_period_start, now["current_period_end"]
    if start is None or end is None or now["current_period_start"] != start:
        return None
    is_newer = (now["modified_at"], now["observed_at"]) > (before.modified_at, before.observed_at)
    is_charged = {before.status, now["status"]} <= CHARGED
    if not (is_newer and is_charged) or before.product_id == now["product_id"]:
        return None
    at = now["modified_at"]
    old, new = (share(amount, start, end, at) for amount in (before.amount, now["amount"]))
    return {
        "subscription_id": before.polar_id,
        "at": at,
        "period_start": start,
        "product_id": now["product_id"],
        "amount": new - old,
        "currency": now["currency"],
    }


def _settles(order: Order, change: PriceChange) -> bool:
    """True when an order came after the change, or with it."""
    with_it = order.product_id == change.product_id and order.created_at >= change.at - A_MOMENT
    return with_it or order.created_at >= change.at


def _money(change: PriceChange) -> str:
    return format_money(abs(change.amount), change.currency)
