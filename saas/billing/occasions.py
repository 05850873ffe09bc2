"""When a mail is due: worked out from what we know now, never from the event that told us.

So it does not matter how often an event comes, in which order, or whether it comes at all. ``period`` tells
one occasion from the next: a second failure of the same subscription has another date.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from saas.billing.models import Order, Subscription

NEWS_DAYS = timedelta(days=3)  # What is older is no news, for example after a first import.
TRIAL_NOTICE = timedelta(days=3)
SHORT_TRIAL = timedelta(days=4)  # Its welcome says the same, and came a moment ago.
WELCOMED = frozenset({"purchase", "subscription_create", "subscription_update"})


@dataclass(frozen=True)
class Occasion:
    """A mail that is due: which, about what, and for which time."""

    kind: str
    subject_id: str
    period: str


def of_subscription(subscription: Subscription, now: datetime) -> Iterator[Occasion]:
    """Yield what is due about a subscription."""
    subject = subscription.polar_id
    if subscription.is_free or subscription.started_at is None:
        return
    if subscription.past_due and subscription.past_due_at:
        yield Occasion("payment_failed", subject, subscription.past_due_at.isoformat())
    ends = subscription.is_current and subscription.cancel_at_period_end
    if ends and _is_news(subscription.canceled_at, now):
        yield Occasion("cancellation_confirmed", subject, str(subscription.canceled_at))
    if subscription.has_ended and _is_news(subscription.ended_at, now):
        yield Occasion("access_ended", subject, "")
    if _trial_ends_soon(subscription, now):
        yield Occasion("trial_ending", subject, str(subscription.trial_end))


def of_order(order: Order, subscription: Subscription | None, now: datetime) -> Iterator[Occasion]:
    """Yield the welcome that a paid order is the occasion of: a purchase or the start of a plan."""
    if order.status != "paid" or order.billing_reason not in WELCOMED:
        return
    if not _is_news(order.created_at, now):
        return
    if order.subscription_id is not None and (subscription is None or not subscription.is_active):
        return
    if order.total_amount == 0 and not (subscription and subscription.on_trial):
        return  # The free plan.
    subject = order.subscription_id or order.polar_id
    yield Occasion("welcome", subject, order.product_id or "")


def _trial_ends_soon(subscription: Subscription, now: datetime) -> bool:
    end, start = subscription.trial_end, subscription.started_at
    if not subscription.on_trial or subscription.cancel_at_period_end or not end or not start:
        return False
    return now < end <= now + TRIAL_NOTICE and end - start > SHORT_TRIAL


def _is_news(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment > now - NEWS_DAYS
