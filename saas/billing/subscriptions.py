"""Somebody's subscriptions: found, asked for at Polar, and changed there.

A change is made at Polar first; our copy follows from the answer, as it does from any webhook.
"""

import time
from http import HTTPStatus

from sqlalchemy import select

from saas.accounts.models import User
from saas.billing import gateway, holdings, notices, reconcile
from saas.billing.entitlements import FREE
from saas.billing.gateway import PaymentDeclined, PolarNotFound, PolarRejected
from saas.billing.models import Customer, Grant, Order, Product, Subscription
from saas.billing.standing import past_due_is_tolerated
from saas.config import current
from saas.errors import AppError
from saas.extensions import db

GRANTS_FOLLOW_SECONDS = (0.0, 0.4, 0.8)  # Recorded: 0.1 to 0.9 s. Nobody waits longer for a page.
ENDED_LAST = ("active", "trialing", "past_due", "paused", "incomplete", "unpaid")


class NoSubscription(AppError):
    """There is no such subscription, it is somebody else's, or it is over."""

    status = HTTPStatus.NOT_FOUND
    code = "no_subscription"
    message = "You have no subscription that this could be done to."


class BeingClosed(NoSubscription):
    """Its end has come, and until Polar has ended it, it takes no other subscription."""

    code = "being_closed"
    message = (
        "Your plan has just ended and is still being closed. You can choose a plan again in a few "
        "minutes."
    )


class SubscriptionMoved(AppError):
    """Polar refused, because the subscription is not any more as the page showed it."""

    status = HTTPStatus.CONFLICT
    code = "subscription_moved"
    message = "Your subscription changed in the meantime, so we did nothing. Please look again."


def of(user: User) -> list[Subscription]:
    """Return all subscriptions of a user as we know them, those in force first, then the newest."""
    mine = select(Customer.polar_id).where(Customer.user_id == user.id)
    found = db.session.scalars(select(Subscription).where(Subscription.customer_id.in_(mine)))
    return sorted(found, key=_importance, reverse=True)


def main(user: User) -> Subscription | None:
    """Return the one that pages are about: in force before ended, the dearer month first."""
    return next(iter(of(user)), None)


def plans_beside(mine: list[Subscription]) -> frozenset[str]:
    """Return the plans that somebody has beside the main one, given all subscriptions; not the free one."""
    beside = [found.product_id for found in mine[1:] if found.is_current]
    if not beside:
        return frozenset()
    products = db.session.scalars(select(Product).where(Product.polar_id.in_(beside)))
    return frozenset(product.plan_key for product in products) - {FREE.plan.key}


def had_trial(user: User) -> bool:
    """True for somebody who began with a trial once: it is offered, and asked for, the first time only."""
    return any(found.had_trial for found in of(user))


def running(user: User, subscription_id: str | None = None) -> Subscription:
    """Return the named subscription, or the main one, as it stands at Polar now.

    Raises ``NoSubscription`` when there is none or it is over, ``BeingClosed`` when it is over in this
    moment, or ``gateway.PolarError``.
    """
    known = _choose(user, subscription_id)
    if known is None:
        reconcile.pull_user(user)
        known = _choose(user, subscription_id)
    if known is None:
        raise _over(of(user))
    refresh(known.polar_id)
    found = db.session.get_one(Subscription, known.polar_id, populate_existing=True)
    if not found.is_current:
        raise _over([found])
    return found


def refresh(subscription_id: str) -> None:
    """Read a subscription from Polar and keep it. Raises ``NoSubscription`` or ``PolarError``.

    That is also raised when Polar says something that we do not know, such as a new status: nobody can tell
    what may be done then.
    """
    try:
        answer = gateway.subscription(subscription_id)
    except PolarNotFound:
        raise NoSubscription from None
    reconcile.keep_one(Subscription, subscription_id, answer)


def change(subscription_id: str, **changes: object) -> None:
    """Change a subscription at Polar and keep what came of it.

    Raises ``gateway.PaymentDeclined`` (nothing has changed), ``SubscriptionMoved``, or ``PolarError``.
    An answer that cannot be read is no error: the change is made, and our copy follows later.
    """
    try:
        answer = gateway.update_subscription(subscription_id, **changes)
    except PaymentDeclined:
        raise
    except (PolarRejected, PolarNotFound):
        refresh(subscription_id)
        raise SubscriptionMoved from None
    reconcile.keep_of(Subscription, [answer])
    _read_what_follows(subscription_id)
    notices.after_change([subscription_id])


def _read_what_follows(subscription_id: str) -> None:
    """Read the orders and grants of a change: its webhooks may be late or lost, its page is next.

    Polar grants and takes benefits a moment after the change itself.
    """
    for wait in GRANTS_FOLLOW_SECONDS:
        time.sleep(wait)
        found = db.session.get_one(Subscription, subscription_id, populate_existing=True)
        customer_id = found.customer_id
        db.session.rollback()
        reading = reconcile.Reading()
        try:
            reading.answers[Order] += gateway.customer_orders(customer_id)
            reading.answers[Grant] += gateway.customer_grants(customer_id)
        except gateway.PolarError:
            return  # The change is made; webhooks or the next reading tell the rest.
        reconcile.keep(reading)
        if _grants_have_followed(subscription_id):
            return


def _grants_have_followed(subscription_id: str) -> bool:
    found = db.session.get_one(Subscription, subscription_id, populate_existing=True)
    product = db.session.get(Product, found.product_id)
    granted = select(Grant.benefit_id).where(
        Grant.subscription_id == subscription_id, Grant.is_granted
    )
    due = {str(benefit.get("id")) for benefit in product.benefits} if product else set()
    return set(db.session.scalars(granted)) == (due if found.is_active else set())


def _over(mine: list[Subscription]) -> NoSubscription:
    return BeingClosed() if any(found.is_being_closed for found in mine) else NoSubscription()


def _choose(user: User, subscription_id: str | None) -> Subscription | None:
    mine = [found for found in of(user) if found.is_current]
    if subscription_id is None:
        return next(iter(mine), None)
    return next((found for found in mine if found.polar_id == subscription_id), None)


def _importance(subscription: Subscription) -> tuple[bool, int, float, float]:
    """Order as ``entitlements`` does, so that the pages are about the plan that counts."""
    status, grace = subscription.standing, current().past_due_grace_days
    is_kept = subscription.past_due and past_due_is_tolerated(subscription.past_due_at, grace)
    is_in_force = subscription.is_active or is_kept
    rank = len(ENDED_LAST) - ENDED_LAST.index(status) if status in ENDED_LAST else 0
    price = holdings.a_month(
        subscription.amount, subscription.recurring_interval, subscription.recurring_interval_count
    )
    return (is_in_force, 0 if is_in_force else rank, price, subscription.created_at.timestamp())
