"""Pausing at the end of a period, and going on."""

from __future__ import annotations

from polar_emulator import jobs
from polar_emulator.clock import parse
from polar_emulator.errors import BadRequest, impossible
from polar_emulator.rules import period_orders, subscriptions
from polar_emulator.store import Doc
from polar_emulator.world import World

RESUMES_TOO_EARLY = "The subscription must resume after the end of the current period."


def schedule(world: World, doc: Doc, resumes_at: str | None) -> None:
    """Let it pause when the period ends, and go on by itself at `resumes_at` if that is given."""
    subscriptions.need_changeable(doc)
    if resumes_at is not None and resumes_at <= doc["current_period_end"]:
        raise impossible("resumes_at", RESUMES_TOO_EARLY, resumes_at)
    world.touch("subscription", doc, pause_at_period_end=True, resumes_at=resumes_at)
    subscriptions.tell(world, doc)


def unschedule(world: World, doc: Doc) -> None:
    """Take a pause back that has not begun. BadRequest when there is none."""
    if not doc["pause_at_period_end"] or doc["ended_at"]:
        raise BadRequest
    world.touch("subscription", doc, pause_at_period_end=False, resumes_at=None)
    subscriptions.tell(world, doc)


def pause(world: World, doc: Doc) -> None:
    """The period is over and the pause begins: benefits go, nothing is charged."""
    world.touch(
        "subscription", doc, status="paused", paused_at=world.stamp(), pause_at_period_end=False
    )
    if doc["resumes_at"]:
        moment = parse(doc["resumes_at"])
        jobs.at(world, "subscription.resume", moment, subscription_id=doc["id"])
    subscriptions.tell(world, doc, "subscription.paused")
    subscriptions.grants_follow(world, doc)


def resume(world: World, doc: Doc) -> None:
    """End a pause: a new period begins now and is charged. BadRequest when it is not paused."""
    if doc["status"] != "paused":
        raise BadRequest
    lines, doc["open_items"] = doc["open_items"], []
    doc.update(status="active", paused_at=None, resumes_at=None, pause_at_period_end=False)
    subscriptions.set_period(world, doc, world.now())
    world.touch("subscription", doc)
    subscriptions.tell(world, doc, "subscription.resumed")
    period_orders.create(world, doc, lines)
    subscriptions.grants_follow(world, doc)
    subscriptions.grants_follow(world, doc, cycled=True)


def resume_when_due(world: World, arguments: Doc) -> None:
    """Job: the day has come that was set for the end of a pause."""
    doc = world.store.need("subscription", arguments["subscription_id"])
    if doc["status"] == "paused" and doc["resumes_at"]:
        resume(world, doc)
