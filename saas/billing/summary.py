"""The billing page in words: where the subscription stands, what comes next, what was paid."""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select

from saas.accounts.models import User
from saas.billing import address_at_polar, comps, decisions, entitlements, outlook, outstanding
from saas.billing import subscriptions as owned
from saas.billing.comps import Comp
from saas.billing.entitlements import FREE, Entitlements
from saas.billing.markings import feature_name
from saas.billing.markings import limits as limits_of
from saas.billing.models import Benefit, Customer, Grant, Subscription
from saas.billing.wording import per_period, product_name
from saas.extensions import db
from saas.templating import day


@dataclass(frozen=True)
class Step:
    """Something that can be done next: a link to the page that explains it."""

    name: str
    label: str
    endpoint: str
    subscription_id: str


@dataclass(frozen=True)
class Other:
    """A subscription beside the main one."""

    name: str
    status_words: str
    tone: str
    price: str
    steps: list[Step]


@dataclass(frozen=True)
class Summary:
    """What the top of the billing page shows."""

    plan_name: str
    status_words: str
    tone: str
    price: str
    price_label: str
    next_date: str
    next_date_label: str
    features: list[str]
    can_manage: bool
    subscription_id: str = ""
    scheduled: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    others: list[Other] = field(default_factory=list)
    elsewhere: address_at_polar.Elsewhere | None = None
    gifts: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def summary(user: User) -> Summary:
    """Return the present state in words."""
    mine = owned.of(user)
    subscription = next(iter(mine), None)
    entitled = entitlements.for_user(user)
    given = [comp for comp in comps.of(user) if comp.is_in_force]
    words, tone = _status(subscription)
    if entitled.has_plan() and not _carries_a_plan(subscription):
        words, tone = "Yours for good. Nothing more to pay.", "positive"
        if entitled.status == "comped":
            words = "A gift from us. Nothing to pay."
    elif subscription is None and not FREE.includes(replace(entitled, features=_extras(entitled))):
        words = "You are on the free plan. What is listed below stays yours."
    label, date = _next(subscription)
    customer = _customer(user)
    return Summary(
        plan_name=entitled.plan.name,
        status_words=words,
        tone=tone,
        price=_price(subscription),
        price_label=_price_label(subscription, entitled.plan.name),
        next_date=date,
        next_date_label=label,
        features=_feature_words(user, entitled, given),
        can_manage=customer is not None,
        subscription_id=subscription.polar_id if subscription else "",
        scheduled=_schedule(subscription) if subscription else [],
        steps=[s for s in _steps(subscription) if s.name != "keep"] if subscription else [],
        others=[_other(found) for found in mine[1:] if found.is_current],
        elsewhere=address_at_polar.of_user(user) if customer else None,
        gifts=[_gift(comp, subscription, entitled) for comp in given],
        waiting=outstanding.words(subscription) if subscription else [],
    )


def _carries_a_plan(subscription: Subscription | None) -> bool:
    """True for one that stands and is more than the free plan, so that its status is what to show."""
    return (
        subscription is not None and subscription.is_current and decisions.can_cancel(subscription)
    )


def _extras(entitled: Entitlements) -> frozenset[str]:
    """Return the features that are no mere names of limits."""
    return entitled.features - entitled.limits.keys()


def _gift(comp: Comp, subscription: Subscription | None, entitled: Entitlements) -> str:
    """Say what was given, until when, and how it goes together with what is paid for."""
    words = f"We have given you {comp.product_name} until {day(comp.last_day)}. It ends by itself."
    if subscription is None or not subscription.is_current or subscription.is_free:
        return words
    paid = product_name(subscription.product_id)
    words += f" You go on paying for {paid} as before, and what both plans include adds up."
    if entitled.status == "comped":
        return f"{words} {entitled.plan.name} is the bigger plan, so it is the one that counts."
    return f"{words} {paid} is the bigger plan or the same, so it is the one that counts."


def _other(subscription: Subscription) -> Other:
    status, tone = _status(subscription)
    words = " ".join([status, *outstanding.words(subscription)])
    name, price = product_name(subscription.product_id), _price(subscription)
    return Other(name, words, tone, price, _steps(subscription))


def _steps(subscription: Subscription) -> list[Step]:
    """Return what can be done with a subscription, by its state."""
    which = subscription.polar_id
    if subscription.is_paused:
        return [
            Step("resume", "Resume", "billing.resumption", which),
            Step("cancel", "Cancel", "billing.cancellation", which),
        ]
    if not subscription.is_current:
        return []
    found = []
    if subscription.has_schedule:
        found.append(Step("keep", "Keep my plan", "billing.keep", which))
    if decisions.can_pause(subscription):
        found.append(Step("pause", "Pause", "billing.pause", which))
    if not subscription.cancel_at_period_end and decisions.can_cancel(subscription):
        found.append(Step("cancel", "Cancel", "billing.cancellation", which))
    return found


def _status(subscription: Subscription | None) -> tuple[str, str]:
    """Return the status as a sentence and its tone."""
    if subscription is None:
        return "You are on the free plan.", "neutral"
    end = day(outlook.last_day(subscription))
    if subscription.on_grace_period:
        return f"Cancelled. You keep your plan until {end}.", "warning"
    if subscription.on_trial:
        return f"Free trial until {day(subscription.trial_end) or end}.", "positive"
    if subscription.pause_at_period_end and subscription.is_active:
        return f"Active. Pauses on {end}. {outlook.of_resuming(subscription)}".strip(), "warning"
    if subscription.pending_update and subscription.is_active:
        return f"Active. Changes on {end}.", "positive"
    if subscription.standing == "active" and subscription.is_free:
        return "Active. Nothing to pay.", "positive"
    if subscription.standing == "active":
        return f"Active. Renews on {end}.", "positive"
    if subscription.past_due:
        return _past_due(subscription), "critical"
    if subscription.is_paused:  # By its name, since the plan above it is another one.
        until = "" if subscription.resumes_at else " until you resume"
        words = f"{product_name(subscription.product_id)} is paused. Nothing is charged{until}."
        return f"{words} {outlook.of_resuming(subscription)}".strip(), "warning"
    return {
        "incomplete": ("The first payment is not complete.", "warning"),
        "unpaid": ("Ended, because the payment failed.", "critical"),
        "incomplete_expired": ("The first payment was never completed.", "neutral"),
    }.get(subscription.standing, (f"Ended on {day(subscription.ended_at) or end}.", "neutral"))


def owed_payment() -> str:
    """Return what an open payment means for the present user; empty when nothing is owed."""
    mine = entitlements.current_entitlements()
    if mine.past_due_at is None:
        return ""
    owing = db.session.get_one(Subscription, mine.past_due_id)  # Only who owes pays for this query.
    end = outlook.last_moment(owing)
    words = outlook.words_of_debt(mine.past_due_name, mine.past_due_at, mine, end)
    return f"{words} A new card is tried at once."


def _past_due(subscription: Subscription) -> str:
    words = f"The last payment failed. {outlook.owed(subscription)}"
    if subscription.cancel_at_period_end:
        return f"{words} It is cancelled and ends on {day(outlook.last_day(subscription))} at the latest."
    return f"{words} Update your card under Manage subscription."


def _next(subscription: Subscription | None) -> tuple[str, str]:
    """Return the label and the date of what happens next."""
    if subscription is not None and subscription.is_paused and subscription.resumes_at:
        return "Resumes on", day(subscription.resumes_at)
    if subscription is None or not subscription.is_active:
        return "", ""
    end = subscription.current_period_end
    if subscription.on_grace_period:
        return "Ends on", day(subscription.ends_at or end)
    if subscription.on_trial:
        return "Trial ends on", day(subscription.trial_end or end)
    if subscription.pause_at_period_end:
        return "Pauses on", day(end)
    return ("", "") if subscription.is_free else ("Next payment", day(end))


def _price(subscription: Subscription | None) -> str:
    if subscription is None or subscription.has_ended or subscription.is_free:
        return ""
    return per_period(subscription)


def _price_label(subscription: Subscription | None, plan_name: str) -> str:
    """Name the product where the price is not that of the plan at hand: owed, or paused."""
    name = product_name(subscription.product_id) if subscription else plan_name
    return "Price" if name == plan_name else f"Price of {name}"


def _schedule(subscription: Subscription) -> list[str]:
    """Return what will change, as far as the status does not say it already."""
    if not subscription.is_current:  # Polar leaves the mark of a cancellation on what has ended.
        return []
    found = outlook.scheduled(subscription)
    is_said = subscription.cancel_at_period_end or subscription.pause_at_period_end
    return ["You can change your mind until then."] if is_said else found


def _feature_words(user: User, entitled: Entitlements, given: list[Comp]) -> list[str]:
    mine = select(Customer.polar_id).where(Customer.user_id == user.id)
    rows = db.session.execute(
        select(Benefit.description, Benefit.meta)
        .join(Grant, Grant.benefit_id == Benefit.polar_id)
        .where(Grant.customer_id.in_(mine), Grant.is_granted)
        .order_by(Benefit.created_at, Benefit.polar_id)
    ).all()
    found = [*((text, meta) for text, meta in rows), *comps.features(given)]
    words = [text for text, meta in found if _counts(text, meta, entitled)]
    return list(dict.fromkeys(words))


def _counts(text: str, meta: dict[str, Any], entitled: Entitlements) -> bool:
    """True for what is in force, unless it is a limit that something else raises."""
    limits = limits_of(text, meta)
    is_best = not limits or any(value >= entitled.limit(name) for name, value in limits.items())
    return is_best and entitled.can(feature_name(text, meta))


def _customer(user: User) -> Customer | None:
    found = select(Customer).where(Customer.user_id == user.id, Customer.deleted_at.is_(None))
    return db.session.scalar(found.order_by(Customer.created_at.desc()).limit(1))
