"""A cancellation that a paid plan took over from the free one which it grew out of.

Polar upgrades a free subscription as it stands, so the paid plan would end with what was cancelled. That is
undone once the plan is paid and not when the checkout is opened: who does not pay has decided nothing.
"""

import logging
from collections.abc import Iterable

from sqlalchemy import ColumnElement, exists, select, union_all

from saas.accounts.models import User
from saas.billing import gateway, reconcile
from saas.billing.gateway import PolarError, PolarNotFound, PolarRejected
from saas.billing.models import Customer, Order, Subscription
from saas.extensions import db, start_write
from saas.jobs import enqueue, handler

log = logging.getLogger(__name__)

UNDOING = "billing.carried_cancellation"


def undo_for(user: User) -> None:
    """Undo it for somebody who comes back from paying. If Polar does not answer, a job does it later."""
    mine = select(Customer.polar_id).where(Customer.user_id == user.id)
    try:
        for polar_id in _affected(Subscription.customer_id.in_(mine)):
            undo(polar_id)
    except PolarError:
        log.warning("a cancellation of the free plan is still to be undone")


def ask_for(ids: Iterable[str] | None = None) -> None:
    """Have it undone wherever it is found among these subscriptions and orders, else among all. Commits."""
    found = _affected() if ids is None else _affected(_is_about(set(ids)))
    if not found:
        return
    start_write()
    for polar_id, cancelled in found.items():
        enqueue(UNDOING, subscription_id=polar_id, dedupe_key=f"{UNDOING}@{polar_id}@{cancelled}")
    db.session.commit()


@handler(UNDOING)
def undo(subscription_id: str) -> None:
    """Undo it at Polar, if it is still there. Raises ``gateway.PolarError`` to be tried again."""
    try:
        reconcile.keep_of(Subscription, [gateway.subscription(subscription_id)])
        if _affected(Subscription.polar_id == subscription_id):
            kept = gateway.update_subscription(subscription_id, cancel_at_period_end=False)
            reconcile.keep_of(Subscription, [kept])
    except (PolarNotFound, PolarRejected):
        log.info("subscription %s changed at Polar in this moment", subscription_id)


def _is_about(ids: set[str]) -> ColumnElement[bool]:
    """The order that pays for an upgrade is told after the subscription.

    One list and no ``OR``: every delivery asks, and for an ``OR`` with a query in it PostgreSQL reads all.
    """
    orders = select(Order.subscription_id).where(Order.polar_id.in_(ids))
    mine = select(Subscription.polar_id).where(Subscription.polar_id.in_(ids))
    return Subscription.polar_id.in_(union_all(mine, orders))


def _affected(*where: ColumnElement[bool]) -> dict[str, str]:
    """Return those that were cancelled before anything was paid for them and upgraded after that, and since
    when they are cancelled. Who had paid before has cancelled a paid plan, and that is never undone.
    """
    paid = (
        Order.customer_id == Subscription.customer_id,
        Order.subscription_id == Subscription.polar_id,
        Order.total_amount > 0,
    )
    upgrade = (
        Order.billing_reason == "subscription_update",
        Order.created_at > Subscription.canceled_at,
    )
    query = select(Subscription.polar_id, Subscription.canceled_at).where(
        Subscription.cancel_at_period_end,
        Subscription.ended_at.is_(None),
        Subscription.amount > 0,
        Subscription.canceled_at < Subscription.current_period_start,
        ~exists().where(*paid, Order.created_at <= Subscription.canceled_at),
        exists().where(*paid, *upgrade),
        *where,
    )
    found = {polar_id: str(cancelled) for polar_id, cancelled in db.session.execute(query)}
    db.session.rollback()
    return found
