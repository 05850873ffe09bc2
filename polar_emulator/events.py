"""Events: what happened, as a snapshot at that moment, and who is to be told."""

from __future__ import annotations

import json
from typing import Any

from polar_emulator.store import Doc
from polar_emulator.world import World

API_VERSION = "2026-10"
EVENT_TYPES = (
    "checkout.created", "checkout.updated", "checkout.expired", "customer.created",
    "customer.updated", "customer.deleted", "customer.state_changed",
    "customer_seat.assigned", "customer_seat.claimed", "customer_seat.revoked",
    "member.created", "member.updated", "member.deleted", "order.created", "order.updated",
    "order.paid", "order.refunded", "subscription.created", "subscription.updated",
    "subscription.active", "subscription.canceled", "subscription.uncanceled",
    "subscription.cycled", "subscription.revoked", "subscription.past_due",
    "subscription.paused", "subscription.resumed", "subscription.migrated", "refund.created",
    "refund.updated", "product.created", "product.updated", "discount.created",
    "discount.updated", "discount.deleted", "benefit.created", "benefit.updated",
    "benefit_grant.created", "benefit_grant.cycled", "benefit_grant.updated",
    "benefit_grant.revoked", "organization.updated",
)  # fmt: skip


def emit(world: World, event_type: str, data: dict[str, Any], *, to_all: bool = False) -> None:
    """Note that something happened and queue it for every endpoint that wants to know.

    The payload is the snapshot taken here, not the state at the time of sending. As with Polar,
    an endpoint that is switched off or not subscribed never gets this event; `to_all` sends a
    type that nobody can subscribe to.
    """
    moment = world.stamp()
    event: Doc = {
        "id": world.new_id(),
        "created_at": moment,
        "type": event_type,
        "data": json.dumps(data, separators=(",", ":"), ensure_ascii=False),
    }
    world.store.put("event", event)
    for endpoint in world.store.find("webhook_endpoint", {"enabled": True}):
        if to_all or event_type in endpoint["events"]:
            _queue(world, event, endpoint)
    world.wake()


def body_of(world: World, webhook_event: Doc) -> str:
    """The raw body of a delivery: compact JSON, the same text for every attempt."""
    event = world.store.need("event", webhook_event["event_id"])
    return (
        f'{{"type":"{event["type"]}","timestamp":"{event["created_at"]}",'
        f'"api_version":"{webhook_event["api_version"]}","data":{event["data"]}}}'
    )


def _queue(world: World, event: Doc, endpoint: Doc) -> None:
    dropped = world.faults.drop_webhooks
    webhook_event: Doc = {
        "id": world.new_id(),
        "created_at": event["created_at"],
        "modified_at": None,
        "event_id": event["id"],
        "endpoint_id": endpoint["id"],
        "api_version": endpoint["api_version"],
        "type": event["type"],
        "attempts": 0,
        "last_http_code": None,
        "succeeded": None,
        "skipped": dropped,
        "next_at": None if dropped else event["created_at"],
    }
    world.store.put("webhook_event", webhook_event)
