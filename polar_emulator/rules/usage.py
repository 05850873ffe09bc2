"""Usage events that an application ingests, each counted once by its external id."""

from __future__ import annotations

from typing import Any

from polar_emulator import jobs
from polar_emulator.errors import Problem, RuleError, problem
from polar_emulator.rules.customers import by_external_id
from polar_emulator.store import Doc
from polar_emulator.world import World

FOLLOWED_SECONDS = 0.5
NOBODY = "Customer does not exist."
FUTURE = "Timestamp must be in the past."


def ingest(world: World, events: list[dict[str, Any]]) -> dict[str, int]:
    """Keep events; one whose external id is known already is a duplicate. RuleError keeps none."""
    problems = [
        found for place, event in enumerate(events) for found in _wrong(world, place, event)
    ]
    if problems:
        raise RuleError(problems)
    kept = [doc for event in events if (doc := _keep(world, event))]
    for customer_id in sorted({doc["customer_id"] for doc in kept if doc["customer_id"]}):
        jobs.cancel(world, "meters.follow", customer_id=customer_id)
        jobs.soon(world, "meters.follow", FOLLOWED_SECONDS, customer_id=customer_id)
    return {"inserted": len(kept), "duplicates": len(events) - len(kept)}


def adopt_for(world: World, arguments: Doc) -> None:
    """Job: events that came for an external id before its customer was there belong to them now."""
    customer = world.store.need("customer", arguments["customer_id"])
    if customer["external_id"] is None:
        return
    where = {"external_customer_id": customer["external_id"], "customer_id": None}
    waiting = world.store.find("usage", where)
    for doc in waiting:
        world.store.put("usage", {**doc, "customer_id": customer["id"]})
    if waiting:
        jobs.soon(world, "meters.follow", FOLLOWED_SECONDS, customer_id=customer["id"])


def names(world: World) -> list[Doc]:
    """Every name of an event with how often and when it occurred, the most frequent first."""
    by_name: dict[str, list[str]] = {}
    for doc in world.store.find("usage"):
        by_name.setdefault(doc["name"], []).append(doc["timestamp"])
    rows = [
        {
            "id": None,
            "created_at": None,
            "modified_at": None,
            "name": name,
            "label": name,
            "label_property_selector": None,
            "organization_id": world.organization["id"],
            "source": "user",
            "occurrences": len(times),
            "first_seen": min(times),
            "last_seen": max(times),
        }
        for name, times in by_name.items()
    ]
    return sorted(rows, key=lambda row: -len(by_name[str(row["name"])]))


def _wrong(world: World, place: int, event: dict[str, Any]) -> list[Problem]:
    where = ("body", "events", place)
    if event.get("timestamp") and event["timestamp"] > world.stamp():
        return [problem("value_error", (*where, "timestamp"), FUTURE, event["timestamp"])]
    key = event.get("customer_id")
    if key is None:
        return []
    customer = world.store.get("customer", key)
    if customer is None or customer["deleted_at"]:
        return [problem("value_error", (*where, "customer_id"), NOBODY, key)]
    return []


def _keep(world: World, event: dict[str, Any]) -> Doc | None:
    external_id = event.get("external_id")
    if external_id is not None and world.store.first("usage", {"external_id": external_id}):
        return None
    owner = by_external_id(world, event.get("external_customer_id"))
    doc: Doc = {
        "id": world.new_id(),
        "timestamp": event.get("timestamp") or world.stamp(),
        "name": event["name"],
        "external_id": external_id,
        "external_customer_id": event.get("external_customer_id"),
        "customer_id": event.get("customer_id") or (owner["id"] if owner else None),
        "parent_id": event.get("parent_id"),
        "metadata": event.get("metadata") or {},
    }
    return world.store.put("usage", doc)
