"""The billing page in words: where the subscription stands, what comes next, what was paid."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from saas.accounts.models import User
from saas.billing import entitlements
from saas.billing.models import Benefit, Customer, Grant, Order, Product, Subscription
from saas.billing.pricing import period_words
from saas.config import current
from saas.extensions import db
from saas.kit.money import format_money
from saas.templating import day

ORDER_WORDS = {
    "paid": ("Paid", "positive"),
    "pending": ("Waiting for payment", "warning"),
    "draft": ("Being prepared", "neutral"),
    "refunded": ("Refunded", "neutral"),
    "partially_refunded": ("Partly refunded", "neutral"),
    "void": ("Cancelled, not paid", "critical"),
}
ENDED_FIRST = ("active", "trialing", "past_due", "paused", "incomplete", "unpaid")


@dataclass(frozen=True)
class Summary:
    """What the top of the billing page shows."""

    plan_name: str
    status_words: str
    tone: str
    price: str
    next_date: str
    next_date_label: str
    features: list[str]
    can_manage: bool


@dataclass(frozen=True)
class Payment:
    """One line of the payment history."""

    date: str
    description: str
    amount: str
    status_words: str
    tone: str


def summary(user: User) -> Summary:
    """Return the present state in words."""
    subscription = main_subscription(user)
    words, tone = _status(subscription)
    label, date = _next(subscription)
    return Summary(
        plan_name=entitlements.for_user(user).plan.name,
        status_words=words,
        tone=tone,
        price=_price(subscription),
        next_date=date,
        next_date_label=label,
        features=_feature_words(user),
        can_manage=_has_customer(user),
    )


def payments(user: User) -> list[Payment]:
    """Return the payment history, newest first. Orders of nothing (free plan, trial) are left out."""
    mine = select(Customer.polar_id).where(Customer.user_id == user.id)
    orders = db.session.scalars(
        select(Order)
        .where(Order.customer_id.in_(mine), Order.total_amount != 0)
        .order_by(Order.created_at.desc(), Order.polar_id)
    )
    return [_payment(order) for order in orders]


def subscriptions(user: User) -> list[Subscription]:
    """Return all subscriptions of a user, those in force first, then the newest."""
    mine = select(Customer.polar_id).where(Customer.user_id == user.id)
    found = db.session.scalars(select(Subscription).where(Subscription.customer_id.in_(mine)))
    return sorted(found, key=_importance, reverse=True)


def main_subscription(user: User) -> Subscription | None:
    """Return the one that the page is about: in force before ended, dear before cheap."""
    return next(iter(subscriptions(user)), None)


def _importance(subscription: Subscription) -> tuple[int, int, float]:
    known = subscription.status in ENDED_FIRST
    rank = len(ENDED_FIRST) - ENDED_FIRST.index(subscription.status) if known else 0
    return (rank, subscription.amount, subscription.created_at.timestamp())


def _status(subscription: Subscription | None) -> tuple[str, str]:
    """Return the status as a sentence and its tone."""
    if subscription is None:
        return "You are on the free plan.", "neutral"
    end = day(subscription.ends_at or subscription.current_period_end)
    if subscription.on_grace_period:
        return f"Cancelled. You keep your plan until {end}.", "warning"
    if subscription.on_trial:
        return f"Free trial until {day(subscription.trial_end) or end}.", "positive"
    if subscription.pause_at_period_end and subscription.is_active:
        return f"Active. Pauses on {end}.", "warning"
    if subscription.status == "active" and subscription.is_free:
        return "Active. Nothing to pay.", "positive"
    if subscription.status == "active":
        return f"Active. Renews on {end}.", "positive"
    if subscription.past_due:
        return _past_due(subscription), "critical"
    return {
        "paused": ("Paused. Nothing is charged until you resume.", "warning"),
        "incomplete": ("The first payment is not complete.", "warning"),
        "unpaid": ("Ended, because the payment failed.", "critical"),
        "incomplete_expired": ("The first payment was never completed.", "neutral"),
    }.get(subscription.status, (f"Ended on {day(subscription.ended_at) or end}.", "neutral"))


def _past_due(subscription: Subscription) -> str:
    words = "The last payment failed. Update your card under Manage subscription."
    grace = current().past_due_grace_days
    if grace and subscription.past_due_at:
        until = subscription.past_due_at + timedelta(days=grace)
        return f"{words} You keep your plan until {day(until)}."
    return words


def _next(subscription: Subscription | None) -> tuple[str, str]:
    """Return the label and the date of what happens next."""
    if subscription is None or not subscription.is_active:
        return "", ""
    end = subscription.current_period_end
    if subscription.on_grace_period:
        return "Ends on", day(subscription.ends_at or end)
    if subscription.on_trial:
        return "Trial ends on", day(subscription.trial_end or end)
    return ("", "") if subscription.is_free else ("Next payment", day(end))


def _price(subscription: Subscription | None) -> str:
    if subscription is None or subscription.has_ended or subscription.is_free:
        return ""
    period = period_words(subscription.recurring_interval, subscription.recurring_interval_count)
    return f"{format_money(subscription.amount, subscription.currency)} per {period}"


def _feature_words(user: User) -> list[str]:
    mine = select(Customer.polar_id).where(Customer.user_id == user.id)
    rows = db.session.execute(
        select(Benefit.description, Benefit.meta)
        .join(Grant, Grant.benefit_id == Benefit.polar_id)
        .where(Grant.customer_id.in_(mine), Grant.is_granted)
        .order_by(Benefit.created_at, Benefit.polar_id)
    ).all()
    can = entitlements.for_user(user).can
    words = [text for text, meta in rows if can(entitlements.feature_name(text, meta))]
    return list(dict.fromkeys(words))


def _has_customer(user: User) -> bool:
    found = select(Customer.polar_id).where(
        Customer.user_id == user.id, Customer.deleted_at.is_(None)
    )
    return db.session.scalar(found.limit(1)) is not None


def _payment(order: Order) -> Payment:
    words, tone = ORDER_WORDS.get(order.status, (order.status, "neutral"))
    product = db.session.get(Product, order.product_id) if order.product_id else None
    refunded = order.refunded_amount + order.refunded_tax_amount
    if refunded and order.status == "partially_refunded":
        words = f"{format_money(refunded, order.currency)} refunded"
    return Payment(
        date=day(order.created_at),
        description=order.description or (product.name if product else "Purchase"),
        amount=format_money(order.total_amount, order.currency),
        status_words=words,
        tone=tone,
    )
