"""Webhook endpoints, events and deliveries as the API shows them."""

from __future__ import annotations

from typing import Any

from polar_emulator.events import body_of
from polar_emulator.store import Doc
from polar_emulator.world import World

ENDPOINT_KEYS = (
    "created_at", "modified_at", "id", "url", "name", "api_version", "format", "secret",
    "organization_id", "events", "enabled", "uses_standard_webhook_signature",
)  # fmt: skip
EVENT_KEYS = (
    "created_at", "modified_at", "id", "last_http_code", "succeeded", "skipped",
    "api_version", "type",
)  # fmt: skip


def endpoint(doc: Doc) -> dict[str, Any]:
    """A webhook endpoint with its secret."""
    return {name: doc[name] for name in ENDPOINT_KEYS}


def delivery(world: World, doc: Doc) -> dict[str, Any]:
    """One attempt to deliver, with the event as it was sent."""
    event = world.store.need("webhook_event", doc["event_id"])
    return {
        "created_at": doc["created_at"],
        "modified_at": None,
        "id": doc["id"],
        "succeeded": doc["succeeded"],
        "http_code": doc["http_code"],
        "response": doc["response"],
        "webhook_event": {
            **{name: event[name] for name in EVENT_KEYS},
            "payload": body_of(world, event),
            "is_archived": False,
        },
    }
