"""Keep a plan as it is: undo a cancellation, a pause or a change of plan that is scheduled."""

from http import HTTPStatus

from saas.billing import outlook, outstanding, subscriptions
from saas.billing.decisions import Decision
from saas.billing.gateway import PolarError, PolarUnavailable
from saas.billing.models import Subscription
from saas.billing.subscriptions import NoSubscription, SubscriptionMoved
from saas.billing.wording import per_period, product_name
from saas.errors import AppError
from saas.templating import day


class HalfKept(AppError):
    """One thing was undone at Polar and the next was not; the message says which. Amounts are untouched."""

    status = HTTPStatus.CONFLICT
    code = "half_kept"

    def __init__(self, done: str, left: str, error: AppError) -> None:
        is_unknown = isinstance(error, PolarUnavailable) and error.may_be_done
        so = (
            f"we cannot tell yet whether {left} is undone" if is_unknown else f"{left} still stands"
        )
        super().__init__(
            f"Only half of it is done: {done} is undone, but {so}. Nothing was charged. "
            "Please look again in a few minutes."
        )


def keeping(subscription: Subscription) -> Decision:
    """Say what is undone. Raises ``NoSubscription`` when nothing is scheduled."""
    if not subscription.has_schedule:
        raise NoSubscription("Nothing is scheduled, so there is nothing to undo.")
    name, end = product_name(subscription.product_id), day(subscription.current_period_end)
    points = [f"{sentence} This is undone." for sentence in outlook.scheduled(subscription)]
    if subscription.cancel_at_period_end and subscription.pending_update:
        points.append("A change of plan that was scheduled before is undone as well.")
    goes_on = f"You keep {name}. It goes on after {end} for {per_period(subscription)}."
    return Decision(
        subscription.polar_id,
        f"Keep {name}",
        "Nothing is charged today.",
        [*points, goes_on, *outstanding.words(subscription)],
    )


def keep(subscription: Subscription) -> str:
    """Undo everything that is scheduled. Returns a sentence. Raises as ``subscriptions.change``.

    Polar takes one kind of change in a call. The cancellation is undone last: as long as it stands, nothing
    else happens, so that a call which fails leaves nobody with a switch that they did not want.
    Raises ``HalfKept`` when a later call fails.
    """
    name, subscription_id = product_name(subscription.product_id), subscription.polar_id
    undo: list[tuple[str, dict[str, object]]] = []
    if subscription.pending_update:
        undo.append(("the change of plan", {"pending_update": None}))
    if subscription.pause_at_period_end:
        undo.append(("the pause", {"pause_at_period_end": False}))
    if subscription.cancel_at_period_end:
        undo.append(("the cancellation", {"cancel_at_period_end": False}))
    done: list[str] = []
    for what, changes in undo:
        try:
            subscriptions.change(subscription_id, **changes)
        except (PolarError, SubscriptionMoved) as error:
            if done:
                raise HalfKept(done[-1], what, error) from error
            raise
        done.append(what)
    return f"You keep {name}."
