"""What a subscription is by now: Polar's status, and what time alone has made of it.

A subscription that was cancelled for a moment is over from that moment, and one that was to pause is
paused, also when nobody told us that it happened. Nothing else goes by time: a renewal of which we have
not heard closes nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case

from saas.kit.datetimes import utcnow
from saas.kit.sql import is_one_of, word

if TYPE_CHECKING:
    from saas.billing.models import Subscription

RUNNING = ("active", "trialing", "past_due")


def status_by_now(subscription: Subscription) -> str:
    """Return the status that counts now. ``ends_at`` alone says nothing: it must be cancelled as well."""
    now = utcnow()
    end, pause = subscription.ends_at, subscription.current_period_end
    if subscription.status not in RUNNING:
        return subscription.status
    if subscription.cancel_at_period_end and end and end <= now:
        return "canceled"
    if subscription.pause_at_period_end and pause and pause <= now:
        return "paused"
    return subscription.status


def status_at(table: type[Subscription], now: Any) -> Any:
    """The same for a query: an SQL expression, ``now`` being a moment or a parameter for one."""
    runs = is_one_of(table.status, RUNNING)
    is_over = and_(runs, table.cancel_at_period_end, table.ends_at <= now)
    is_paused = and_(runs, table.pause_at_period_end, table.current_period_end <= now)
    return case((is_over, word("canceled")), (is_paused, word("paused")), else_=table.status)


def past_due_is_tolerated(past_due_at: datetime | None, grace_days: int) -> bool:
    """True while a past-due subscription keeps its plan: less than ``grace_days`` since it fell due."""
    if past_due_at is None or grace_days <= 0:
        return False
    return utcnow() < past_due_at + timedelta(days=grace_days)
