"""Cancel, keep, pause, resume: what each means for access and money, and the doing of it.

Each has a page that says what will happen and when, made of the subscription as it stands at Polar.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from saas.billing import subscriptions
from saas.billing.models import Subscription
from saas.billing.subscriptions import NoSubscription
from saas.billing.wording import per_period, product_name
from saas.kit.datetimes import utcnow
from saas.kit.money import format_money
from saas.templating import day

MONTH = timedelta(days=30)


@dataclass(frozen=True)
class Decision:
    """What a page says before somebody decides."""

    subscription_id: str
    title: str
    lead: str
    points: list[str] = field(default_factory=list)
    button: str = "Cancel at the end of the period"


def cancellation(subscription: Subscription) -> Decision:
    """Say what cancelling means. Raises ``NoSubscription`` when it is cancelled already."""
    if subscription.cancel_at_period_end:
        raise NoSubscription("This subscription is cancelled already.")
    if subscription.status == "paused":
        return _ending(subscription)
    name, end = product_name(subscription.product_id), day(_end(subscription))
    points = [
        f"{'Your free trial runs' if subscription.on_trial else f'You keep {name}'} until {end}.",
        "After that you are on the free plan, and what belongs to your plan is closed to you.",
        "Nothing more is charged.",
    ]
    if subscription.past_due:
        points = [
            f"Your plan ends on {end} at the latest.",
            "The payment that failed may still be tried until then.",
            "After that nothing more is charged, and you are on the free plan.",
        ]
    return Decision(
        subscription.polar_id,
        f"Cancel {name}",
        "You can change your mind until the last day.",
        points,
    )


def cancel(subscription: Subscription, reason: str = "", comment: str = "") -> str:
    """Let it end with the period, or now if it is paused. Returns a sentence for the customer.

    Raises as ``subscriptions.change``.
    """
    end, name = day(_end(subscription)), product_name(subscription.product_id)
    words = f"Your plan is cancelled. You keep it until {end}."
    if subscription.past_due:
        words = f"Your plan is cancelled and ends on {end}."
    how = {"cancel_at_period_end": True}
    if subscription.status == "paused":
        how, words = {"revoke": True}, f"{name} has ended. Nothing more is charged."
    subscriptions.change(
        subscription.polar_id,
        customer_cancellation_reason=reason or None,
        customer_cancellation_comment=comment.strip() or None,
        **how,
    )
    return words


def keeping(subscription: Subscription) -> Decision:
    """Say what is undone. Raises ``NoSubscription`` when nothing is scheduled."""
    if not subscription.has_schedule:
        raise NoSubscription("Nothing is scheduled, so there is nothing to undo.")
    name, end = product_name(subscription.product_id), day(subscription.current_period_end)
    points = [f"{sentence} This is undone." for sentence in scheduled(subscription)]
    goes_on = f"You keep {name}. It goes on after {end} for {per_period(subscription)}."
    return Decision(
        subscription.polar_id,
        f"Keep {name}",
        "Nothing is charged today.",
        [*points, goes_on],
    )


def keep(subscription: Subscription) -> str:
    """Undo everything that is scheduled. Returns a sentence. Raises as ``subscriptions.change``."""
    name = product_name(subscription.product_id)
    undo: list[dict[str, object]] = []
    if subscription.cancel_at_period_end:
        undo.append({"cancel_at_period_end": False})
    if subscription.pause_at_period_end:
        undo.append({"pause_at_period_end": False})
    if subscription.pending_update:
        undo.append({"pending_update": None})
    subscription_id = subscription.polar_id
    for changes in undo:  # Polar takes one kind of change in a call.
        subscriptions.change(subscription_id, **changes)
    return f"You keep {name}."


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
            "Then you are on the free plan and nothing is charged until you resume.",
            f"When it resumes, a new period begins, and you pay {per_period(subscription)} again.",
        ],
    )


def pause(subscription: Subscription, months: int = 0) -> str:
    """Pause it from the end of the period, for some months or until resumed. Returns a sentence."""
    end = subscription.current_period_end or utcnow()
    changes: dict[str, object] = {"pause_at_period_end": True}
    if months:
        changes["resumes_at"] = (end + months * MONTH).isoformat()
    subscriptions.change(subscription.polar_id, **changes)
    return f"Your plan pauses on {day(end)}. You keep it until then."


def resumption(subscription: Subscription) -> Decision:
    """Say what resuming costs. Raises ``NoSubscription`` when it is not paused."""
    if subscription.status != "paused":
        raise NoSubscription("This subscription is not paused.")
    name = product_name(subscription.product_id)
    amount = format_money(subscription.amount, subscription.currency)
    return Decision(
        subscription.polar_id,
        f"Resume {name}",
        "Everything that belongs to your plan opens again at once.",
        [
            f"About {amount} is charged to your card now. The exact amount depends on your taxes.",
            f"A new period begins today, for {per_period(subscription)}.",
        ],
    )


def resume(subscription: Subscription) -> str:
    """Resume it at once, which charges the card. Returns a sentence. Raises as ``subscriptions.change``."""
    name = product_name(subscription.product_id)
    subscriptions.change(subscription.polar_id, resume=True)
    return f"Welcome back. {name} runs again."


def can_pause(subscription: Subscription) -> bool:
    """True for a subscription that runs, costs something and has nothing scheduled."""
    running = subscription.status == "active" and not subscription.is_free
    return running and not subscription.has_schedule


def scheduled(subscription: Subscription) -> list[str]:
    """Return a sentence for each thing that will happen at the end of the period."""
    found = []
    if subscription.cancel_at_period_end:
        found.append(f"Your plan ends on {day(_end(subscription))}.")
    if subscription.pause_at_period_end:
        found.append(f"Your plan pauses on {day(subscription.current_period_end)}.")
    if subscription.pending_update and subscription.pending_update.get("product_id"):
        name = product_name(subscription.pending_update["product_id"])
        found.append(f"Your plan changes to {name} on {day(subscription.current_period_end)}.")
    return found


def _ending(subscription: Subscription) -> Decision:
    """Say what cancelling means while it is paused: there is no period left to wait for."""
    name = product_name(subscription.product_id)
    points = [
        f"{name} is paused, so it ends at once.",
        "Nothing more is charged, and you stay on the free plan.",
        "To have it again later you choose a plan anew.",
    ]
    return Decision(
        subscription.polar_id, f"Cancel {name}", "This is for good.", points, "End it now"
    )


def _end(subscription: Subscription) -> datetime | None:
    return subscription.ends_at or subscription.current_period_end
