"""What lies ahead of somebody with one subscription, in sentences.

Pages, banner, status and mails all ask here what is kept until when, and what is left without this
subscription, so that none of them promises what another one takes back.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from saas.accounts.models import User
from saas.billing import entitlements, holdings, outstanding
from saas.billing.entitlements import FREE, Entitlements
from saas.billing.models import Customer, Product, Subscription
from saas.billing.standing import past_due_is_tolerated
from saas.billing.wording import per_period, product_name, upcoming
from saas.config import current
from saas.extensions import db
from saas.kit.datetimes import utcnow
from saas.kit.money import format_money
from saas.templating import day


def of_cancelling(subscription: Subscription) -> list[str]:
    """Say what a cancellation for the end of the period means; true before it and after it."""
    name, end = product_name(subscription.product_id), last_day(subscription)
    if subscription.past_due:
        is_open = past_due_is_tolerated(subscription.past_due_at, current().past_due_grace_days)
        return [
            owed(subscription),
            f"{name} ends on {day(end)} at the latest.",
            "The payment that failed may still be tried until then. After that nothing is charged.",
            *([without(subscription, at=end)] if is_open else []),
        ]
    keeps = "Your free trial runs" if subscription.on_trial else f"You keep {name}"
    return [
        f"{keeps} until {day(end)}.",
        without(subscription, at=end),
        *last_charge(subscription),
    ]


def last_charge(subscription: Subscription) -> list[str]:
    """Say what is still charged when it ends: Polar settles then what an earlier switch has left."""
    waiting = outstanding.total(subscription)
    if waiting <= 0:
        return ["Nothing more is charged."]
    amount = format_money(waiting, subscription.currency)
    words = (
        f"About {amount} from your last switch is still charged on {day(last_day(subscription))}."
    )
    return [words, "Nothing is charged after that."]


def of_resuming(subscription: Subscription) -> str:
    """Say that a pause ends by itself, and what that costs; empty when it does not."""
    if subscription.resumes_at is None:
        return ""
    return f"It resumes by itself on {day(subscription.resumes_at)}: {charge(subscription)}."


def charge(subscription: Subscription) -> str:
    """Say what the end of a pause charges."""
    words = f"a new period begins, and your card is charged {per_period(subscription)} again"
    waiting = outstanding.total(subscription)
    amount = format_money(abs(waiting), subscription.currency)
    if waiting > 0:
        return f"{words}, the first time with about {amount} that waits from your last switch"
    return f"{words}, the first time less about {amount}" if waiting else words


def owed(subscription: Subscription) -> str:
    """Say what a failed payment means for access now."""
    rest = left_without(subscription)
    name = product_name(subscription.product_id)
    return words_of_debt(name, subscription.past_due_at, rest, last_moment(subscription))


def words_of_debt(
    name: str, since: datetime | None, rest: Entitlements, end: datetime | None
) -> str:
    """The same, for who has the facts at hand. ``rest`` is what its owner has while it is closed, ``end``
    when it ends if it is cancelled."""
    grace = current().past_due_grace_days
    if since is None or not past_due_is_tolerated(since, grace):
        return f"{name} is closed until it is paid. Meanwhile you are on {_plan(rest)}."
    until = since + timedelta(days=grace)
    until = min(until, end) if end else until
    return f"{name} stays open until {day(until)}, so that you can mend it."


def without(
    subscription: Subscription, start: str = "After that", at: datetime | None = None
) -> str:
    """Say what its owner has without it, beginning at a moment, else now."""
    rest, name = left_without(subscription, at), product_name(subscription.product_id)
    words = f"{start} you are on {_plan(rest)}"
    product = db.session.get(Product, subscription.product_id)
    gives = entitlements.of_benefits(product.benefits if product else [])
    if rest.includes(gives) and rest.has_plan():
        return f"{words}, which includes the same." if gives.features else f"{words}."
    only = "" if rest.features == FREE.features and rest.limits == FREE.limits else "only "
    return f"{words}, and what belongs {only}to {name} is closed."


def scheduled(subscription: Subscription) -> list[str]:
    """Return a sentence for each thing that will happen at the end of the period.

    What is cancelled does not come to anything else, though Polar keeps a change that waits.
    """
    name, end = product_name(subscription.product_id), day(subscription.current_period_end)
    if subscription.cancel_at_period_end:
        return [f"{name} ends on {day(last_day(subscription))}."]
    found = []
    if subscription.pause_at_period_end:
        found.append(f"{name} pauses on {end}. {of_resuming(subscription)}".strip())
    if subscription.pending_update and subscription.pending_update.get("product_id"):
        wanted, price = upcoming(subscription)
        found.append(f"{name} changes to {wanted} on {end}, for {price}.")
    return found


def left_without(subscription: Subscription, at: datetime | None = None) -> Entitlements:
    """Return what its owner may use without it at a moment, else now. What is past due does not count."""
    moment = max(at, utcnow()) if at else utcnow()
    customer = db.session.get(Customer, subscription.customer_id)
    user = db.session.get(User, customer.user_id) if customer and customer.user_id else None
    return entitlements.of_holdings(
        [
            replace(row, status="canceled")
            if row.id == subscription.polar_id or row.status == "past_due"
            else row
            for row in (holdings.of(user, moment) if user else [])
        ]
    )


def last_day(subscription: Subscription) -> datetime | None:
    """Return until when it lasts, once it is cancelled."""
    return subscription.ends_at or subscription.current_period_end


def last_moment(subscription: Subscription) -> datetime | None:
    """Return when it ends, if it is cancelled."""
    return last_day(subscription) if subscription.cancel_at_period_end else None


def _plan(entitled: Entitlements) -> str:
    return entitled.plan.name if entitled.has_plan() else "the free plan"
