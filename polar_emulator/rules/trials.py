"""Moving the end of a trial or of a billing period."""

from __future__ import annotations

from polar_emulator import jobs
from polar_emulator.clock import parse
from polar_emulator.errors import impossible
from polar_emulator.rules import subscriptions
from polar_emulator.store import Doc
from polar_emulator.world import World

NOT_TRIALING = "The subscription is not trialing."
TRIAL_IN_THE_PAST = "Trial end must be in the future."
PERIOD_IN_THE_PAST = "The billing period must end in the future."


def set_trial_end(world: World, doc: Doc, wanted: str) -> None:
    """End the trial `now`, or let it last until a moment; a running subscription begins one.

    The first charge follows when the trial ends, as always.
    """
    subscriptions.need_changeable(doc)
    if wanted == "now":
        _end_trial(world, doc)
        return
    if parse(wanted) <= world.now():
        raise impossible("trial_end", TRIAL_IN_THE_PAST, wanted)
    if doc["status"] != "trialing":
        doc.update(status="trialing", trial_start=world.stamp())
    _move_end(world, doc, wanted, trial_end=wanted)
    subscriptions.tell(world, doc)


def set_period_end(world: World, doc: Doc, wanted: str) -> None:
    """Let the present period end at another moment in the future; nothing is charged for that."""
    subscriptions.need_changeable(doc)
    if parse(wanted) <= world.now():
        raise impossible("current_billing_period_end", PERIOD_IN_THE_PAST, wanted)
    trial = {"trial_end": wanted} if doc["status"] == "trialing" else {}
    _move_end(world, doc, wanted, **trial)
    subscriptions.tell(world, doc)


def _end_trial(world: World, doc: Doc) -> None:
    if doc["status"] != "trialing":
        raise impossible("trial_end", NOT_TRIALING, "now")
    now = world.stamp()
    _move_end(world, doc, now, trial_end=now)
    subscriptions.tell(world, doc)


def _move_end(world: World, doc: Doc, end: str, **changes: str) -> None:
    jobs.cancel(world, "subscription.period_over", subscription_id=doc["id"])
    subscriptions.set_period(world, doc, parse(doc["current_period_start"]), parse(end))
    world.touch("subscription", doc, **changes)
