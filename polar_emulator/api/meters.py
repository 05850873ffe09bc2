"""/v1/meters and /v1/customer-meters."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from polar_emulator.api.catalogue import refuse_organization
from polar_emulator.api.fields import Fields
from polar_emulator.api.gate import api
from polar_emulator.api.wire import (
    answer,
    body,
    by_customer,
    containing,
    equals,
    flag,
    found,
    listing,
    metadata,
    of_organization,
    world,
)
from polar_emulator.clock import parse
from polar_emulator.errors import Problem, problem
from polar_emulator.rules import meter_filters
from polar_emulator.rules import meters as rules
from polar_emulator.shapes import usage as shapes

Where = tuple[str | int, ...]
NO_MODEL = "Input should be a valid dictionary or object to extract fields from"
DEEPEST = 5


@api.get("/v1/meters/")
def meters() -> Response:
    """Meters, newest first."""
    where = {**of_organization(), **containing("name"), **metadata()}
    archived = flag("is_archived").get("is_archived")
    if archived is not None:
        where["archived_at !=" if archived else "archived_at"] = None
    return listing("meter", where, shapes.meter)


@api.get("/v1/meters/<key>")
def meter(key: str) -> Response:
    """A meter."""
    return answer(shapes.meter(found("meter", key)))


@api.post("/v1/meters/")
def create_meter() -> Response:
    """A new meter: a filter for events, and how they are counted."""
    given = body()
    refuse_organization(given)
    fields = _fields(given)
    for name in ("name", "filter", "aggregation"):
        fields.need(name)
    return answer(shapes.meter(rules.create(world(), fields.done())), 201)


@api.patch("/v1/meters/<key>")
def update_meter(key: str) -> Response:
    """Change a meter."""
    doc = found("meter", key)
    fields = _fields(body())
    fields.boolean("is_archived")
    return answer(shapes.meter(rules.update(world(), doc, fields.done())))


@api.get("/v1/meters/<key>/quantities")
def meter_quantities(key: str) -> Response:
    """What a meter counted, step by step."""
    doc = found("meter", key)
    names = ("start_timestamp", "end_timestamp", "interval")
    fields = Fields({name: request.args[name] for name in names if name in request.args}, "query")
    for name in names:
        fields.need(name)
    fields.moment("start_timestamp")
    fields.moment("end_timestamp")
    fields.choice("interval", rules.INTERVALS)
    given = fields.done()
    wanted = {
        "start": parse(given["start_timestamp"]),
        "end": parse(given["end_timestamp"]),
        "interval": given["interval"],
        "customers": by_customer().get("customer_id"),
    }
    return answer(rules.quantities(world(), doc, wanted))


@api.get("/v1/customer-meters/")
def customer_meters() -> Response:
    """What customers have used, newest first."""
    where = {**of_organization(), **equals("meter_id"), **by_customer()}
    return listing("customer_meter", where, lambda doc: shapes.customer_meter(world(), doc))


@api.get("/v1/customer-meters/<key>")
def customer_meter(key: str) -> Response:
    """What a customer has used of a meter."""
    return answer(shapes.customer_meter(world(), found("customer_meter", key)))


def _fields(given: dict[str, Any]) -> Fields:
    fields = Fields(given)
    fields.text("name", empty=False)
    fields.metadata("metadata")
    fields.choice("unit", rules.UNITS)
    fields.text("custom_label")
    fields.integer("custom_multiplier", least=1)
    for name, check in (("filter", _filter_problems), ("aggregation", _aggregation_problems)):
        if given.get(name) is not None:
            fields.values[name] = given[name]
            fields.problems += check(given[name], ("body", name))
    return fields


def _aggregation_problems(given: Any, where: Where) -> list[Problem]:
    if not isinstance(given, dict):
        return [problem("model_attributes_type", where, NO_MODEL, given)]
    fields = Fields(given)
    if fields.need("func"):
        fields.choice("func", rules.FUNCTIONS, null=False)
    if given.get("func") != "count" and fields.need("property"):
        fields.text("property", empty=False, null=False)
    return _below(fields, where)


def _filter_problems(given: Any, where: Where, depth: int = 0) -> list[Problem]:
    if not isinstance(given, dict) or depth > DEEPEST:
        return [problem("model_attributes_type", where, NO_MODEL, given)]
    fields = Fields(given)
    if fields.need("conjunction"):
        fields.choice("conjunction", meter_filters.CONJUNCTIONS, null=False)
    clauses = given.get("clauses")
    if fields.need("clauses") and not isinstance(clauses, list):
        fields.complain("list_type", "clauses", "Input should be a valid list", clauses)
    problems = _below(fields, where)
    for place, clause in enumerate(clauses if isinstance(clauses, list) else []):
        inner = (*where, "clauses", place)
        nested = isinstance(clause, dict) and "clauses" in clause
        problems += (
            _filter_problems(clause, inner, depth + 1)
            if nested
            else _clause_problems(clause, inner)
        )
    return problems


def _clause_problems(given: Any, where: Where) -> list[Problem]:
    if not isinstance(given, dict):
        return [problem("model_attributes_type", where, NO_MODEL, given)]
    fields = Fields(given)
    if fields.need("property"):
        fields.text("property", null=False)
    if fields.need("operator"):
        fields.choice("operator", list(meter_filters.OPERATORS), null=False)
    if fields.need("value") and not isinstance(given["value"], str | int | float | bool):
        fields.complain("string_type", "value", "Input should be a valid string", given["value"])
    return _below(fields, where)


def _below(fields: Fields, where: Where) -> list[Problem]:
    return [{**found, "loc": [*where, *found["loc"][1:]]} for found in fields.problems]
