"""Meters: which events they count and how, and what each customer has used."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any

from polar_emulator import jobs
from polar_emulator.clock import stamp
from polar_emulator.errors import impossible
from polar_emulator.rules import meter_filters, periods
from polar_emulator.rules.customers import state_changed
from polar_emulator.store import Doc
from polar_emulator.world import World

FUNCTIONS = ("count", "sum", "max", "min", "avg", "unique")
INTERVALS = ("hour", "day", "week", "month", "year")
UNITS = ("scalar", "token", "custom")
FIELDS = ("name", "metadata", "unit", "custom_label", "custom_multiplier", "filter", "aggregation")
MOST_STEPS = 1000


def create(world: World, fields: dict[str, Any]) -> Doc:
    """A new meter; events that are there already count."""
    doc: Doc = {
        **dict.fromkeys(FIELDS),
        "id": world.new_id(),
        "created_at": world.stamp(),
        "modified_at": None,
        "unit": "scalar",
        "organization_id": world.organization["id"],
        "archived_at": None,
    }
    doc.update({name: fields[name] for name in FIELDS if fields.get(name) is not None})
    doc["metadata"] = doc["metadata"] or {}
    world.store.put("meter", doc)
    _follow_all(world)
    return doc


def update(world: World, doc: Doc, changes: dict[str, Any]) -> Doc:
    """Change a meter, archive it, or bring it back."""
    wanted = {name: changes[name] for name in FIELDS if changes.get(name) is not None}
    if changes.get("is_archived") is not None:
        wanted["archived_at"] = world.stamp() if changes["is_archived"] else None
    world.touch("meter", doc, **wanted)
    _follow_all(world)
    return doc


def follow(world: World, arguments: Doc) -> None:
    """Job: bring the meters of a customer up to date; what has changed changes their state."""
    customer_id = arguments["customer_id"]
    events = world.store.find("usage", {"customer_id": customer_id})
    changed = [_follow_one(world, meter, customer_id, events) for meter in _present(world)]
    if any(changed):
        state_changed(world, customer_id)


def quantities(world: World, meter: Doc, given: dict[str, Any]) -> Doc:
    """What a meter counted in each step of a time, and in all of it. RuleError for too many steps."""
    start, end = given["start"], given["end"]
    where = {"customer_id": given["customers"]} if given["customers"] is not None else {}
    events = meter_filters.matching(meter["filter"], world.store.find("usage", where))
    inside = [event for event in events if stamp(start) <= event["timestamp"] <= stamp(end)]
    steps = _steps(start, end, given["interval"])
    rows = []
    for begin, until in zip(steps, [*steps[1:], None], strict=True):
        last = "~" if until is None else stamp(until)
        part = [event for event in inside if stamp(begin) <= event["timestamp"] < last]
        quantity = aggregate(meter["aggregation"], part)
        rows.append({"timestamp": stamp(begin), "quantity": quantity})
    return {"quantities": rows, "total": aggregate(meter["aggregation"], inside)}


def aggregate(how: Doc, events: list[Doc]) -> float:
    """What events amount to: a count, or a function of one of their properties."""
    if how["func"] == "count":
        return float(len(events))
    found = [meter_filters.value_of(event, how["property"]) for event in events]
    if how["func"] == "unique":
        return float(len({str(value) for value in found if value is not None}))
    numbers = [
        Fraction(str(value))
        for value in found
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return float(_computed(how["func"], numbers)) if numbers else 0.0


def _computed(function: str, numbers: list[Fraction]) -> Fraction:
    if function == "max":
        return max(numbers)
    if function == "min":
        return min(numbers)
    total = sum(numbers, Fraction(0))
    return total / len(numbers) if function == "avg" else total


def _follow_one(world: World, meter: Doc, customer_id: str, events: list[Doc]) -> bool:
    """Keep what a customer has used of a meter; True when that is news."""
    counted = meter_filters.matching(meter["filter"], events)
    doc = world.store.first("customer_meter", {"customer_id": customer_id, "meter_id": meter["id"]})
    if doc is None and not counted:
        return False
    consumed = aggregate(meter["aggregation"], counted)
    if doc is None:
        doc = {
            "id": world.new_id(),
            "created_at": world.stamp(),
            "modified_at": None,
            "customer_id": customer_id,
            "meter_id": meter["id"],
            "credited_units": 0,
            "consumed_units": consumed,
        }
        world.store.put("customer_meter", doc)
        return True
    if doc["consumed_units"] == consumed:
        return False
    world.touch("customer_meter", doc, consumed_units=consumed)
    return True


def _present(world: World) -> list[Doc]:
    return world.store.find("meter", {"archived_at": None})


def _follow_all(world: World) -> None:
    events = world.store.find("usage", {"customer_id !=": None})
    for customer_id in sorted({event["customer_id"] for event in events}):
        jobs.soon(world, "meters.follow", 0.0, customer_id=customer_id)


def _steps(start: datetime, end: datetime, interval: str) -> list[datetime]:
    steps = [start]
    while (following := periods.add(steps[-1], interval)) < end:
        steps.append(following)
        if len(steps) > MOST_STEPS:
            raise impossible("interval", "The interval is too short for this time.", interval)
    return steps
