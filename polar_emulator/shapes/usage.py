"""Usage events, meters and what customers have used, as the API shows them."""

from __future__ import annotations

from typing import Any

from polar_emulator.shapes import customers
from polar_emulator.store import Doc
from polar_emulator.world import World

Json = dict[str, Any]

METER_KEYS = (
    "metadata", "created_at", "modified_at", "id", "name", "unit", "custom_label",
    "custom_multiplier", "filter", "aggregation", "organization_id", "archived_at",
)  # fmt: skip


def event(world: World, doc: Doc) -> Json:
    """An event that an application ingested."""
    owner = world.store.get("customer", doc["customer_id"])
    return {
        "id": doc["id"],
        "timestamp": doc["timestamp"],
        "organization_id": world.organization["id"],
        "customer_id": doc["customer_id"],
        "customer": customers.customer(owner) if owner else None,
        "external_customer_id": doc["external_customer_id"] or (owner and owner["external_id"]),
        "member_id": None,
        "external_member_id": None,
        "child_count": 0,
        "parent_id": doc["parent_id"],
        "label": doc["name"],
        "source": "user",
        "name": doc["name"],
        "metadata": doc["metadata"],
    }


def meter(doc: Doc) -> Json:
    """A meter."""
    return {name: doc[name] for name in METER_KEYS}


def customer_meter(world: World, doc: Doc) -> Json:
    """What a customer has used of a meter."""
    owner = world.store.need("customer", doc["customer_id"])
    return {
        **customers.state_meter(doc),
        "customer_id": doc["customer_id"],
        "customer": customers.customer(owner),
        "meter": meter(world.store.need("meter", doc["meter_id"])),
    }
