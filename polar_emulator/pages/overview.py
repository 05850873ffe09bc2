"""What the control page shows: the clock, people with what can happen to them, events, deliveries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from polar_emulator import scenarios, timetravel
from polar_emulator.api.limits import SETTING
from polar_emulator.api.wire import world
from polar_emulator.clock import stamp
from polar_emulator.events import body_of
from polar_emulator.faults import API_FAULTS
from polar_emulator.store import Doc

SHOWN_CUSTOMERS = 25
SHOWN_CHECKOUTS = 10
SHOWN_EVENTS = 40
SHOWN_DELIVERIES = 100
SHOWN_PLANS = 3
# What the calendar brings, in words; the rest is Polar's own business.
PLANNED = {
    "checkout.expire": "a checkout expires",
    "subscription.period_over": "a period ends",
    "subscription.resume": "a pause ends",
    "order.retry": "a failed payment is tried again",
    "grants.subscription": "a grace period ends",
}


def everything() -> dict[str, Any]:
    """All that the page needs."""
    store = world().store
    people = store.find("customer", {"deleted_at": None}, order="-seq", limit=SHOWN_CUSTOMERS)
    checkouts = store.find("checkout", {"status": "open"}, order="-seq", limit=SHOWN_CHECKOUTS)
    return {
        "organization": world().organization,
        "endpoints": store.find("webhook_endpoint"),
        "products": store.find("product"),
        "customers": [_person(doc) for doc in people],
        "customer_count": store.count("customer", {"deleted_at": None}),
        "checkouts": [_with_product(doc) for doc in checkouts],
        "faults": world().faults,
        "api_faults": API_FAULTS,
        "per_minute": (store.get("setting", SETTING) or {}).get("per_minute"),
        **clock(),
        **events(),
    }


def clock() -> dict[str, Any]:
    """The time, and what is planned."""
    due = timetravel.next_event(world())
    plans = [
        {"at": job["next_at"], "words": PLANNED.get(job["name"], "something happens")}
        for job in timetravel.planned(world(), SHOWN_PLANS)
    ]
    return {
        "now": world().stamp(),
        "is_ahead": world().clock.offset > timedelta(seconds=1),
        "next_at": stamp(due) if due else None,
        "plans": plans,
    }


def events() -> dict[str, Any]:
    """The youngest events and how their deliveries stand."""
    found = world().store.find("event", order="-seq", limit=SHOWN_EVENTS)
    return {"events": [_with_deliveries(doc) for doc in found]}


def event(doc: Doc) -> dict[str, Any]:
    """One event with the body and every attempt for each endpoint."""
    sent = world().store.find("webhook_event", {"event_id": doc["id"]})
    return {"event": doc, "sent": [_with_attempts(found) for found in sent]}


def deliveries() -> list[dict[str, Any]]:
    """The youngest attempts to deliver something."""
    store = world().store
    shown = []
    for attempt in store.find("webhook_delivery", order="-seq", limit=SHOWN_DELIVERIES):
        sent = store.get("webhook_event", attempt["event_id"])
        endpoint = store.get("webhook_endpoint", attempt["endpoint_id"])
        about = sent["event_id"] if sent else None
        shown.append({**attempt, "about": about, "url": endpoint["url"] if endpoint else ""})
    return shown


def _person(customer: Doc) -> dict[str, Any]:
    """A customer with subscriptions and orders, and what can happen to each."""
    store, mine = world().store, {"customer_id": customer["id"]}
    return {
        **customer,
        "scenarios": scenarios.fitting(world(), "customer", customer),
        "subscriptions": [
            {**_with_product(doc), "scenarios": scenarios.fitting(world(), "subscription", doc)}
            for doc in store.find("subscription", mine, order="-seq", limit=5)
        ],
        "orders": [
            {**_with_product(doc), "scenarios": scenarios.fitting(world(), "order", doc)}
            for doc in store.find("order", mine, order="-seq", limit=3)
        ],
    }


def _with_product(doc: Doc) -> dict[str, Any]:
    return {**doc, "product": world().store.need("product", doc["product_id"])}


def _with_deliveries(doc: Doc) -> dict[str, Any]:
    sent = world().store.find("webhook_event", {"event_id": doc["id"]})
    return {**doc, "states": [_state(found) for found in sent]}


def _with_attempts(doc: Doc) -> dict[str, Any]:
    endpoint = world().store.get("webhook_endpoint", doc["endpoint_id"])
    return {
        **doc,
        "state": _state(doc),
        "url": endpoint["url"] if endpoint else "an endpoint that is gone",
        "tries": world().store.find("webhook_delivery", {"event_id": doc["id"]}),
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
