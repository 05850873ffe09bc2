"""Filters of meters: clauses about an event's name, time and metadata, joined by and or or."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polar_emulator.store import Doc

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda ours, given: ours == given,
    "ne": lambda ours, given: ours != given,
    "gt": lambda ours, given: bool(ours > given),
    "gte": lambda ours, given: bool(ours >= given),
    "lt": lambda ours, given: bool(ours < given),
    "lte": lambda ours, given: bool(ours <= given),
    "like": lambda ours, given: str(given).lower() in str(ours).lower(),
    "not_like": lambda ours, given: str(given).lower() not in str(ours).lower(),
}
CONJUNCTIONS = ("and", "or")
OWN_FIELDS = ("name", "timestamp", "external_customer_id", "customer_id")


def matching(wanted: Doc, events: list[Doc]) -> list[Doc]:
    """The events that a filter lets through."""
    return [event for event in events if matches(wanted, event)]


def matches(wanted: Doc, event: Doc) -> bool:
    """Whether a filter lets an event through; one without clauses lets through everything."""
    if not wanted["clauses"]:
        return True
    found = (
        matches(clause, event) if "clauses" in clause else _holds(clause, event)
        for clause in wanted["clauses"]
    )
    return all(found) if wanted["conjunction"] == "and" else any(found)


def value_of(event: Doc, name: str) -> Any:
    """A property of an event: its own, or of its metadata."""
    if name in OWN_FIELDS:
        return event[name]
    return event["metadata"].get(name.removeprefix("metadata."))


def _holds(clause: Doc, event: Doc) -> bool:
    ours = value_of(event, clause["property"])
    if ours is None:
        return clause["operator"] in ("ne", "not_like")
    try:
        return OPERATORS[clause["operator"]](ours, clause["value"])
    except TypeError:
        # A text is neither more nor less than a number.
        return False
