"""Look into the inbox, and clear it of what nobody will ask for again."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from saas.billing.models import Customer
from saas.extensions import db, start_write
from saas.kit.datetimes import utcnow
from saas.webhooks.applying import customer_of, event_in
from saas.webhooks.models import Delivery

# Polar keeps a delivery for 90 days and can send it again until then; without our row it would count
# as new. https://docs.polar.sh/integrate/webhooks/delivery
SHORTEST_RETENTION_DAYS = 90
CHUNK = 500  # Rows in one transaction, so that the door never waits long for the pruning.
WITH_CUSTOMER = ("subscription.%", "order.%", "benefit_grant.%", "customer.%")


def delivery(delivery_id: int) -> Delivery | None:
    """Return one delivery by the number of its row."""
    return db.session.get(Delivery, delivery_id)


def deliveries(
    outcome: str | None = None, limit: int = 20, *, unknown_customer: bool = False
) -> list[Delivery]:
    """Return deliveries, the newest first.

    With ``unknown_customer`` only those about a customer who has no account here: bought through a
    checkout link, or made in Polar's dashboard. They are applied, and wait for their owner to sign up.
    """
    query = select(Delivery).order_by(Delivery.id.desc())
    if outcome:
        query = query.where(Delivery.outcome == outcome)
    if not unknown_customer:
        return list(db.session.scalars(query.limit(limit)))
    query = query.where(db.or_(*(Delivery.type.like(kind) for kind in WITH_CUSTOMER)))
    found = _about_strangers(query)
    return [row for row, _ in zip(found, range(limit), strict=False)]


def retention_days(wanted: int) -> int:
    """Return for how many days handled deliveries are kept: never less than Polar can resend them."""
    return max(wanted, SHORTEST_RETENTION_DAYS)


def prune(days: int) -> int:
    """Delete what was handled more than ``days`` days ago. Failed and unknown ones stay. Returns how many."""
    before = utcnow() - timedelta(days=retention_days(days))
    old = select(Delivery.id).where(
        Delivery.handled_at < before, Delivery.outcome.in_(("applied", "ignored"))
    )
    count = 0
    while True:
        start_write()
        ids = list(db.session.scalars(old.order_by(Delivery.id).limit(CHUNK)))
        db.session.execute(
            delete(Delivery).where(Delivery.id.in_(ids)),
            execution_options={"synchronize_session": False},
        )
        db.session.commit()
        count += len(ids)
        if len(ids) < CHUNK:
            return count


def _about_strangers(query: Any) -> Iterator[Delivery]:
    strangers = set(db.session.scalars(select(Customer.polar_id).where(Customer.user_id.is_(None))))
    if not strangers:
        return
    for row in db.session.scalars(query.execution_options(yield_per=100)):
        if customer_of(event_in(row.body)) in strangers:
            yield row
