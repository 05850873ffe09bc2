"""Remote control for tests: reset, wait, faults, the clock, the request log, quick checkouts."""

from __future__ import annotations

import json
import time
from typing import Any

from flask import Blueprint, Response, request

from polar_emulator import catalogue, deliveries, jobs, oddities, scenarios, stream, timetravel
from polar_emulator.api import limits
from polar_emulator.api.wire import answer, world
from polar_emulator.clock import stamp
from polar_emulator.errors import ApiError, NotFound
from polar_emulator.rules import cards, checkouts, confirmation
from polar_emulator.shapes import purchases as shapes

remote = Blueprint("remote", __name__, url_prefix="/_emulator")

DEFAULT_TIMEOUT_SECONDS = 10.0


@remote.post("/reset")
def reset() -> Response:
    """Back to the demo state."""
    catalogue.reset(world())
    return answer({"ok": True})


@remote.post("/wait-idle")
def wait_idle() -> Response:
    """Answer when everything due now has happened and been delivered; 504 when that takes too long."""
    try:
        timeout = float(_given().get("timeout", DEFAULT_TIMEOUT_SECONDS))
    except (TypeError, ValueError, OverflowError):
        return _refuse("timeout must be a number of seconds.")
    started = time.monotonic()
    idle = jobs.wait_until(_is_idle, timeout)
    waited = round(time.monotonic() - started, 3)
    return answer({"idle": idle, "waited_seconds": waited}, 200 if idle else 504)


@remote.get("/faults")
def show_faults() -> Response:
    """What goes wrong at the moment."""
    return answer(world().faults.as_dict())


@remote.post("/faults")
def set_faults() -> Response:
    """Let something go wrong, or right again."""
    try:
        world().faults.change(_given())
    except (ValueError, TypeError) as error:
        return _refuse(str(error))
    if not world().faults.hold_confirmed:
        jobs.release_held(world())
    return answer(world().faults.as_dict())


@remote.delete("/faults")
def clear_faults() -> Response:
    """Let everything go right again; the limit of requests ends as well."""
    world().faults.clear()
    limits.switch(None)
    jobs.release_held(world())
    return answer(world().faults.as_dict())


@remote.post("/faults/send/<name>")
def send_oddity(name: str) -> Response:
    """Send an event that no receiver has seen before: `unknown-type` or `unknown-value`."""
    try:
        return answer({"sent": oddities.send(world(), name)})
    except ValueError as error:
        return _refuse(str(error))


@remote.get("/scenarios")
def list_scenarios() -> Response:
    """The scenarios: their names, what they happen to, and what they are."""
    items = [
        {"name": found.name, "happens_to": found.kind, "title": found.title}
        for found in scenarios.SCENARIOS
    ]
    return answer({"items": items})


@remote.post("/scenarios/<name>")
def play_scenario(name: str) -> Response:
    """Let a scenario happen to `who`: an id, an e-mail address or an external id."""
    try:
        found = scenarios.play(world(), name, str(_given().get("who") or ""))
    except scenarios.ScenarioError as error:
        return _refuse(str(error))
    kind = scenarios.by_name(name).kind
    return answer({"scenario": name, "happened_to": kind, "id": found["id"]})


@remote.post("/rate-limit")
def rate_limit() -> Response:
    """Allow each token `per_minute` requests (100 when it is not said); null allows any number."""
    return limits.answer_switch(_given())


@remote.get("/requests")
def requests() -> Response:
    """The API requests since the last reset, oldest first."""
    return answer({"items": list(world().requests)})


@remote.delete("/requests")
def forget_requests() -> Response:
    """Empty the log of API requests."""
    world().requests.clear()
    return answer({"items": []})


@remote.get("/clock")
def show_clock() -> Response:
    """What time it is here, and when the next thing is due."""
    ahead, due = world().clock.offset.total_seconds(), timetravel.next_event(world())
    next_at = stamp(due) if due else None
    return answer({"now": world().stamp(), "ahead_seconds": ahead, "next_event_at": next_at})


@remote.post("/clock")
def move_clock() -> Response:
    """Move time forward by `advance_seconds`, `days` or `months`, `until` a date, or to the `next` event.

    Everything due on the way happens, in order.
    """
    try:
        timetravel.advance(world(), timetravel.destination(world(), _given()))
    except timetravel.ClockError as error:
        return _refuse(str(error))
    return show_clock()


@remote.get("/events")
def events() -> Response:
    """The types of all events since the last reset, oldest first; `?after=<id>` leaves out the older ones."""
    found = stream.since(world(), request.args.get("after"))
    return answer({"items": [stream.summary(event) for event in found]})


@remote.get("/events/stream")
def follow_events() -> Response:
    """The same as server-sent events, with those to come; `Last-Event-ID` stands for `after`, too."""
    after = request.headers.get("Last-Event-ID") or request.args.get("after")
    return stream.response(stream.events(world(), after))


@remote.get("/events/<key>")
def event(key: str) -> Response:
    """One event as it is sent: `type`, `timestamp`, `data`."""
    found = world().store.get("event", key)
    if found is None:
        raise NotFound
    data = json.loads(found["data"])
    return answer({"type": found["type"], "timestamp": found["created_at"], "data": data})


@remote.post("/complete-checkout")
def complete_checkout() -> Response:
    """Fill in and confirm a checkout without a browser: `client_secret`, `email`?, `card`?, `country`?."""
    given = _given()
    with world().store.transaction():
        doc = checkouts.by_secret(world(), str(given.get("client_secret", "")))
        if doc is None:
            raise NotFound
        token = cards.token_for(cards.digits(str(given.get("card") or cards.PAYS)))
        if token is None:
            return _refuse(cards.TEST_CARDS_SENTENCE)
        buyer = {
            "customer_email": given.get("email") or doc["customer_email"] or "buyer@example.com",
            "customer_name": given.get("name") or doc["customer_name"] or "Test Buyer",
            "customer_billing_address": _address(str(given.get("country") or "US")),
            "confirmation_token_id": token,
        }
        try:
            doc = confirmation.confirm(world(), doc, buyer)
        except ApiError as error:
            if not error.keeps:
                raise
            return answer(error.body, error.status)
        return answer(shapes.checkout(world(), doc))


def _address(country: str) -> dict[str, Any]:
    parts = ("line1", "line2", "postal_code", "city", "state")
    return {**dict.fromkeys(parts), "country": country.upper()[:2]}


def _is_idle() -> bool:
    store, now = world().store, stamp(world().now())
    waiting = store.count("job", {"soon": True, "held": False})
    due = store.count("job", {"soon": False, "next_at <=": now})
    return not waiting and not due and not deliveries.due(world())


def _given() -> dict[str, Any]:
    try:
        data = json.loads(request.get_data() or b"{}")
        json.dumps(data, ensure_ascii=False).encode()  # half a character cannot be told to anybody
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _refuse(sentence: str) -> Response:
    return answer({"error": sentence}, 422)
