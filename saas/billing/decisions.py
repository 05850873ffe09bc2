"""Cancel, pause, resume: what each means for access and money, and the doing of it; ``keeping`` undoes it.

Each has a page that says what will happen and when, made of the subscription as it stands at Polar.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from saas.billing import outlook, outstanding, subscriptions
from saas.billing.entitlements import FREE
from saas.billing.models import Product, Subscription
from saas.billing.subscriptions import NoSubscription
from saas.billing.wording import per_period, product_name
from saas.extensions import db
from saas.kit.datetimes import utcnow
from saas.kit.money import format_money
from saas.templating import day

MONTH = timedelta(days=30)
LONGEST_PAUSE = 3


@dataclass(frozen=True)
class Decision:
    """What a page says before somebody decides."""

    subscription_id: str
    title: str
    lead: str
    points: list[str] = field(default_factory=list)
    button: str = "Cancel at the end of the period"

    @property
    def fingerprint(self) -> str:
        """Stands for everything that it says, so that nobody decides on what is not true any more."""
        said = "\n".join((self.subscription_id, self.title, self.lead, *self.points, self.button))
        return hashlib.sha256(said.encode()).hexdigest()


def cancellation(subscription: Subscription) -> Decision:
    """Say what cancelling means. Raises ``NoSubscription`` when it is cancelled already."""
    if subscription.cancel_at_period_end:
        raise NoSubscription("This subscription is cancelled already.")
    if not can_cancel(subscription):
        raise NoSubscription("The free plan costs nothing, so there is nothing to cancel.")
    if subscription.is_paused:
        return _ending(subscription)
    dropped = [f"{sentence} This will not happen." for sentence in outlook.scheduled(subscription)]
    return Decision(
        subscription.polar_id,
        f"Cancel {product_name(subscription.product_id)}",
        "You can change your mind until the last day.",
        [*outlook.of_cancelling(subscription), *dropped],
    )


def cancel(subscription: Subscription, reason: str = "", comment: str = "") -> str:
    """Let it end with the period, or now if it is paused. Returns a sentence for the customer.

    Raises as ``subscriptions.change``.
    """
    end, name = day(outlook.last_day(subscription)), product_name(subscription.product_id)
    words = f"{name} is cancelled. You keep it until {end}."
    if subscription.past_due:
        words = f"{name} is cancelled and ends on {end} at the latest."
    how = {"cancel_at_period_end": True}
    if subscription.is_paused:
        how, words = {"revoke": True}, f"{name} has ended. Nothing more is charged."
    subscriptions.change(
        subscription.polar_id,
        customer_cancellation_reason=reason or None,
        customer_cancellation_comment=comment.strip() or None,
        **how,
    )
    return words


def pausing(subscription: Subscription) -> Decision:
    """Say what a pause means. Raises ``NoSubscription`` when there is nothing to pause."""
    if not can_pause(subscription):
        raise NoSubscription("This subscription cannot be paused now.")
    name, end = product_name(subscription.product_id), day(subscription.current_period_end)
    return Decision(
        subscription.polar_id,
        f"Pause {name}",
        "A break without losing your plan.",
        [
            f"You keep {name} until {end}, since that is paid for.",
            outlook.without(subscription, at=subscription.current_period_end),
            "Nothing is charged during the pause.",
            f"When it resumes, {outlook.charge(subscription)}: at the moment that you choose, or by itself "
            "on the day that you set here. You can resume or cancel before that day.",
        ],
    )


def pauses(subscription: Subscription) -> list[tuple[str, str]]:
    """Return how long a pause may last, in months, and each in words; ``0`` is until resumed."""
    waiting = outstanding.total(subscription)
    price = format_money(max(subscription.amount + waiting, 0), subscription.currency)
    price = f"about {price}" if waiting else price
    timed = [
        (str(months), f"Until {day(_resumes(subscription, months))}, then {price} is charged")
        for months in range(1, LONGEST_PAUSE + 1)
    ]
    return [("0", "Until I resume it myself"), *timed]


def pause(subscription: Subscription, months: int = 0) -> str:
    """Pause it from the end of the period, for some months or until resumed. Returns a sentence."""
    end = subscription.current_period_end or utcnow()
    changes: dict[str, object] = {"pause_at_period_end": True}
    if months:
        changes["resumes_at"] = _resumes(subscription, months).isoformat()
    name, subscription_id = product_name(subscription.product_id), subscription.polar_id
    subscriptions.change(subscription_id, **changes)
    kept = db.session.get_one(Subscription, subscription_id)
    words = f"{name} pauses on {day(end)}. You keep it until then. {outlook.of_resuming(kept)}"
    return words.strip()


def resumption(subscription: Subscription) -> Decision:
    """Say what resuming costs. Raises ``NoSubscription`` when it is not paused."""
    if not subscription.is_paused:
        raise NoSubscription("This subscription is not paused.")
    if subscription.status != "paused":  # Polar resumes nothing that it has not paused yet.
        raise NoSubscription("The pause is just beginning. You can resume it in a few minutes.")
    name = product_name(subscription.product_id)
    due = max(subscription.amount + outstanding.total(subscription), 0)
    amount = format_money(due, subscription.currency)
    return Decision(
        subscription.polar_id,
        f"Resume {name}",
        "Everything that belongs to your plan opens again at once.",
        [
            f"About {amount} is charged to your card now. The exact amount depends on your taxes.",
            f"A new period begins today, for {per_period(subscription)}.",
            *outstanding.words(subscription),
        ],
    )


def resume(subscription: Subscription) -> str:
    """Resume it at once, which charges the card. Returns a sentence. Raises as ``subscriptions.change``."""
    name = product_name(subscription.product_id)
    subscriptions.change(subscription.polar_id, resume=True)
    return f"Welcome back. {name} runs again."


def can_pause(subscription: Subscription) -> bool:
    """True for a subscription that runs, costs something and has nothing scheduled."""
    running = subscription.standing == "active" and not subscription.is_free
    return running and not subscription.has_schedule


def can_cancel(subscription: Subscription) -> bool:
    """False for the free plan itself: who ended it would have it all the same."""
    product = db.session.get(Product, subscription.product_id)
    is_free_plan = product is not None and product.plan_key == FREE.plan.key
    return not (subscription.is_free and is_free_plan)


def _ending(subscription: Subscription) -> Decision:
    """Say what cancelling means while it is paused: there is no period left to wait for."""
    name = product_name(subscription.product_id)
    points = [
        f"{name} is paused, so it ends at once, and nothing more is charged.",
        outlook.without(subscription, "Then"),
        "To have it again later you choose a plan anew.",
    ]
    return Decision(
        subscription.polar_id, f"Cancel {name}", "This is for good.", points, "End it now"
    )


def _resumes(subscription: Subscription, months: int) -> datetime:
    return (subscription.current_period_end or utcnow()) + months * MONTH
