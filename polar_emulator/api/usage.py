"""/v1/events: what applications ingest."""

from __future__ import annotations

from typing import Any

from flask import Response

from polar_emulator.api.fields import Fields
from polar_emulator.api.gate import api
from polar_emulator.api.wire import (
    answer,
    between,
    body,
    by_customer,
    computed,
    containing,
    equals,
    found,
    listing,
    metadata,
    of_organization,
    world,
)
from polar_emulator.errors import Problem, SchemaError, problem
from polar_emulator.rules import usage as rules
from polar_emulator.shapes import usage as shapes

NO_LIST = "Input should be a valid list"


@api.get("/v1/events/")
def events() -> Response:
    """Events, newest first."""
    where = {
        **of_organization(),
        **equals("name"),
        **by_customer(),
        **containing("name"),
        **metadata(),
        **between("timestamp", "start_timestamp", "end_timestamp"),
    }
    if equals("source").get("source", ["user"]) == ["system"]:
        where["id"] = []
    return listing("usage", where, lambda doc: shapes.event(world(), doc), "-timestamp,-seq")


@api.get("/v1/events/names")
def event_names() -> Response:
    """The names of events with how often they occurred."""
    return computed(rules.names(world()))


@api.get("/v1/events/<key>")
def event(key: str) -> Response:
    """An event."""
    return answer(shapes.event(world(), found("usage", key)))


@api.post("/v1/events/ingest")
def ingest() -> Response:
    """Keep events; those whose external id is known are duplicates."""
    fields = Fields(body())
    given = fields.body.get("events")
    if fields.need("events") and not isinstance(given, list):
        fields.complain("list_type", "events", NO_LIST, given)
    fields.done()
    events, problems = [], []
    for place, entry in enumerate(given or []):
        read, wrong = _event(place, entry)
        events.append(read)
        problems += wrong
    if problems:
        raise SchemaError(problems)
    return answer(rules.ingest(world(), events))


def _event(place: int, given: Any) -> tuple[dict[str, Any], list[Problem]]:
    where = ("body", "events", place)
    if not isinstance(given, dict):
        message = "Input should be a valid dictionary or object to extract fields from"
        return {}, [problem("model_attributes_type", where, message, given)]
    fields = Fields(given)
    if fields.need("name"):
        fields.text("name", longest=128, empty=False, null=False)
    if given.get("customer_id") is None:
        if fields.need("external_customer_id"):
            fields.text("external_customer_id", empty=False, null=False)
    else:
        fields.uuid("customer_id")
    fields.text("external_id")
    fields.text("parent_id")
    fields.moment("timestamp")
    fields.metadata("metadata")
    wrong = [{**found, "loc": [*where, *found["loc"][1:]]} for found in fields.problems]
    return fields.values, wrong
