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
PAUSE_NOTICE = timedelta(days=3)
SHORT_TRIAL = timedelta(days=4)  # Its welcome says the same, and came a moment ago.
SETTLED = frozenset({"paid", "partially_refunded", "refunded"})
BEGINNING = frozenset({"subscription_create", "subscription_update"})


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
    if ends and not subscription.is_cancelled_as_free and _is_news(subscription.canceled_at, now):
        yield Occasion("cancellation_confirmed", subject, str(subscription.canceled_at))
    if subscription.has_ended and _is_news(subscription.ended_at or subscription.ends_at, now):
        yield Occasion("access_ended", subject, "")
    if _trial_ends_soon(subscription, now):
        yield Occasion("trial_ending", subject, str(subscription.trial_end))
    resumes = subscription.resumes_at
    if subscription.is_paused and resumes and now < resumes <= now + PAUSE_NOTICE:
        yield Occasion("pause_ending", subject, str(resumes))


def of_purchase(order: Order, now: datetime) -> Iterator[Occasion]:
    """Yield the welcome that something bought once is the occasion of."""
    is_bought = order.status == "paid" and order.billing_reason == "purchase"
    if is_bought and order.total_amount and _is_news(order.created_at, now):
        yield Occasion("welcome", order.polar_id, order.product_id or "")


def of_beginning(
    subscription: Subscription, orders: list[Order], now: datetime
) -> Iterator[Occasion]:
    """Yield the welcome to the plan that a subscription is on, given all of its orders.

    A plan begins with its first order, be it for a purchase, for a switch that is paid at once or for the
    period that a scheduled switch waited for. A switch that goes on the next invoice has no order yet: then
    there are orders for other plans only, and it happened when the subscription was changed the last time.
    """
    if not subscription.is_active or (subscription.is_free and not subscription.on_trial):
        return
    mine = [order for order in orders if order.product_id == subscription.product_id]
    if mine and not any(order.status in SETTLED for order in mine):
        return
    began = min((order.created_at for order in mine), default=subscription.modified_at)
    first = min(orders, key=lambda order: order.created_at, default=None)
    is_known = any(order.billing_reason in BEGINNING for order in mine)
    if first is None or not (is_known or first.product_id != subscription.product_id):
        return  # The order that it began with is not known, so nobody can say when that was.
    if _is_news(began, now):
        yield Occasion("welcome", subscription.polar_id, subscription.product_id)


def _trial_ends_soon(subscription: Subscription, now: datetime) -> bool:
    end, start = subscription.trial_end, subscription.started_at
    if not subscription.on_trial or subscription.cancel_at_period_end or not end or not start:
        return False
    return now < end <= now + TRIAL_NOTICE and end - start > SHORT_TRIAL


def _is_news(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment > now - NEWS_DAYS
