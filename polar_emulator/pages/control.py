"""The control page: everything in the store at a glance, reset, redelivery, the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from polar_emulator import catalogue, deliveries, timetravel
from polar_emulator.api.wire import world
from polar_emulator.events import body_of
from polar_emulator.store import Doc

control = Blueprint("control", __name__)

SHOWN_CUSTOMERS = 25
SHOWN_EVENTS = 40
STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "month": timedelta(days=31)}


@control.get("/")
def show() -> ResponseReturnValue:
    """The page."""
    with world().store.transaction():
        return render_template("control.html", **_shown())


@control.get("/events/<key>")
def event(key: str) -> ResponseReturnValue:
    """One event: its body and every attempt to deliver it."""
    with world().store.transaction():
        found = world().store.get("event", key)
        if found is None:
            abort(404)
        sent = [
            _with_attempts(doc) for doc in world().store.find("webhook_event", {"event_id": key})
        ]
        return render_template(
            "event.html", event=found, sent=sent, organization=world().organization
        )


@control.post("/control/reset")
def reset() -> ResponseReturnValue:
    """Back to the demo state."""
    catalogue.reset(world())
    return redirect(url_for("control.show"), 303)


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
    """Move time forward by an hour, a day or 31 days."""
    step = STEPS.get(request.form.get("step", ""))
    if step is None:
        abort(422, "Choose an hour, a day or a month.")
    timetravel.advance(world(), world().now() + step)
    return redirect(url_for("control.show"), 303)


def _shown() -> dict[str, Any]:
    store = world().store
    recent = store.find("event", order="-seq", limit=SHOWN_EVENTS)
    people = store.find("customer", {"deleted_at": None}, order="-seq", limit=SHOWN_CUSTOMERS)
    return {
        "organization": world().organization,
        "endpoints": store.find("webhook_endpoint"),
        "products": store.find("product"),
        "customers": [_with_subscriptions(doc) for doc in people],
        "customer_count": store.count("customer", {"deleted_at": None}),
        "events": [_with_deliveries(doc) for doc in recent],
        "now": world().stamp(),
        "is_ahead": world().clock.offset > timedelta(seconds=1),
        "faults": world().faults,
        "steps": STEPS,
    }


def _with_subscriptions(customer: Doc) -> dict[str, Any]:
    held = world().store.find("subscription", {"customer_id": customer["id"]}, order="-seq")
    named = [{**doc, "product": world().store.need("product", doc["product_id"])} for doc in held]
    return {**customer, "subscriptions": named}


def _with_deliveries(event: Doc) -> dict[str, Any]:
    sent = world().store.find("webhook_event", {"event_id": event["id"]})
    return {**event, "states": [_state(doc) for doc in sent]}


def _with_attempts(doc: Doc) -> dict[str, Any]:
    endpoint = world().store.get("webhook_endpoint", doc["endpoint_id"])
    attempts = world().store.find("webhook_delivery", {"event_id": doc["id"]})
    return {
        **doc,
        "state": _state(doc),
        "url": endpoint["url"] if endpoint else "an endpoint that is gone",
        "tries": attempts,
        "body": body_of(world(), doc),
    }


def _state(doc: Doc) -> tuple[str, str]:
    """The tone and the words for how a delivery stands."""
    if doc["succeeded"]:
        return "good", f"delivered, {doc['last_http_code']}"
    if doc["skipped"]:
        return "plain", "not sent"
    answer = doc["last_http_code"] or "no answer"
    if doc["next_at"] is None:
        return "bad", f"given up, {answer}"
    return ("warn", f"{answer}, trying again") if doc["attempts"] else ("plain", "waiting")
