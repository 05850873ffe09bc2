"""The control page: see what is there, move the clock, play scenarios, set faults, deliver again."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from polar_emulator import catalogue, deliveries, jobs, oddities, scenarios, stream, timetravel
from polar_emulator.api import limits
from polar_emulator.api.wire import answer, world
from polar_emulator.errors import ApiError
from polar_emulator.pages import overview

control = Blueprint("control", __name__)

STEPS: dict[str, dict[str, Any]] = {
    "hour": {"advance_seconds": 3600},
    "day": {"days": 1},
    "month": {"months": 1},
    "next": {"next": True},
}
SWITCHES = ("drop_webhooks", "duplicate_webhooks", "reorder_webhooks", "hold_confirmed")
MOST_PER_MINUTE = 1_000_000
DONE = {
    "clock": "The clock is moved.",
    "faults": "The faults are set.",
    "faults-off": "All faults are off.",
    "reset": "Back to the demo state.",
    "sent": "The event is sent.",
}
SECONDS = ("slow_seconds", "delay_webhooks_seconds")


@control.get("/")
def show() -> ResponseReturnValue:
    """The page."""
    with world().store.transaction():
        done = _done_words().get(request.args.get("done", ""))
        return render_template("control.html", done=done, **overview.everything())


@control.get("/control/events")
def live() -> ResponseReturnValue:
    """What the page shows of the events, for browsers that cannot follow the stream."""
    return answer(_seen())


@control.get("/control/stream")
def follow() -> ResponseReturnValue:
    """The same as it happens, for the script that keeps the page fresh."""
    return stream.response(stream.changes(world(), _seen))


@control.get("/events/<key>")
def event(key: str) -> ResponseReturnValue:
    """One event: its body and every attempt to deliver it."""
    with world().store.transaction():
        found = world().store.get("event", key)
        if found is None:
            abort(404)
        organization = world().organization
        return render_template("event.html", organization=organization, **overview.event(found))


@control.get("/deliveries")
def log() -> ResponseReturnValue:
    """The attempts to deliver something, the youngest first."""
    with world().store.transaction():
        return render_template(
            "deliveries.html", organization=world().organization, attempts=overview.deliveries()
        )


@control.post("/control/reset")
def reset() -> ResponseReturnValue:
    """Back to the demo state."""
    catalogue.reset(world())
    return _back("reset")


@control.post("/control/redeliver/<key>")
def redeliver(key: str) -> ResponseReturnValue:
    """Send an event again."""
    with world().store.transaction():
        found = world().store.get("webhook_event", key)
        if found is None:
            abort(404)
        deliveries.redeliver(world(), found)
    return redirect(url_for("control.event", key=found["event_id"]), 303)


@control.post("/control/clock")
def move_clock() -> ResponseReturnValue:
    """Move time forward: a step, or until a date."""
    step, until = request.form.get("step", ""), request.form.get("until", "")
    wanted = {"until": until} if step == "until" else STEPS.get(step)
    if wanted is None:
        abort(422, "Choose an hour, a day, a month, the next event or a date.")
    try:
        timetravel.advance(world(), timetravel.destination(world(), wanted))
    except timetravel.ClockError as error:
        abort(422, str(error))
    return _back("clock")


@control.post("/control/scenarios/<name>")
def play(name: str) -> ResponseReturnValue:
    """Let a scenario happen to one customer, subscription, order or checkout."""
    try:
        scenarios.play(world(), name, request.form.get("who", ""))
    except (scenarios.ScenarioError, ApiError) as error:
        abort(422, str(error))
    return _back(name)


@control.post("/control/faults")
def set_faults() -> ResponseReturnValue:
    """Set all faults as the form says, or end them all."""
    if "off" in request.form:
        world().faults.clear()
        limits.switch(None)
        jobs.release_held(world())
        return _back("faults-off", "faults-title")
    wanted: dict[str, Any] = {name: name in request.form for name in SWITCHES}
    wanted |= {name: request.form.get(name) or 0 for name in SECONDS}
    try:
        most = _most(request.form.get("per_minute", "").strip())
        world().faults.change({**wanted, "api": request.form.get("api") or None})
    except ValueError as error:
        abort(422, str(error))
    limits.switch(most)
    if not world().faults.hold_confirmed:
        jobs.release_held(world())
    return _back("faults", "faults-title")


@control.post("/control/oddities/<name>")
def send_oddity(name: str) -> ResponseReturnValue:
    """Send an event that no receiver has seen before."""
    try:
        oddities.send(world(), name)
    except ValueError as error:
        abort(422, str(error))
    return _back("sent", "events-title")


def _seen() -> dict[str, str]:
    """The rows of the events, and the type of the youngest for those who do not see them."""
    with world().store.transaction():
        found = overview.events()
        rows = render_template("control_events.html", **found)
    return {"rows": rows, "newest": found["events"][0]["type"] if found["events"] else ""}


def _done_words() -> dict[str, str]:
    """What the page says after something was done, by its name in the address."""
    played = {found.name: f"Done: {found.title.lower()}." for found in scenarios.SCENARIOS}
    return {**DONE, **played}


def _most(text: str) -> int | None:
    """The limit of requests a minute, None for none."""
    if text and not (text.isdecimal() and 0 < int(text) <= MOST_PER_MINUTE):
        raise ValueError(f"Requests a minute are a number from 1 to {MOST_PER_MINUTE}, or nothing.")
    return int(text) if text else None


def _back(done: str, anchor: str = "done") -> ResponseReturnValue:
    return redirect(url_for("control.show", done=done, _anchor=anchor), 303)
