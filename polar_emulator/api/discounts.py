"""/v1/discounts."""

from __future__ import annotations

from typing import Any

from flask import Response

from polar_emulator.api.catalogue import refuse_organization
from polar_emulator.api.fields import Fields
from polar_emulator.api.gate import api
from polar_emulator.api.wire import (
    answer,
    body,
    containing,
    equals,
    found,
    listing,
    nothing,
    world,
)
from polar_emulator.rules import discounts as rules
from polar_emulator.shapes import discounts as shapes
from polar_emulator.store import Doc

LONGEST_CODE = 256
SHORTEST_CODE = 3
LONGEST_MONTHS = 999
CODE_FORM = "Code must be between 3 and 256 characters long and contain only letters and digits."


@api.get("/v1/discounts/")
def discounts() -> Response:
    """Discounts, newest first."""
    where = {**equals("organization_id"), **containing("name"), "is_deleted": False}
    return listing("discount", where, _shown)


@api.get("/v1/discounts/<key>")
def discount(key: str) -> Response:
    """A discount."""
    return answer(_shown(found("discount", key)))


@api.post("/v1/discounts/")
def create_discount() -> Response:
    """A new discount: a percentage or a fixed amount, once, for some months or for ever."""
    given = body()
    refuse_organization(given)
    if "type" not in given:
        given = {**given, "type": "percentage" if "basis_points" in given else "fixed"}
    fields = _fields(given)
    for name in ("name", "duration"):
        fields.need(name)
    _need_amount(fields)
    if given.get("duration") == "repeating" and fields.need("duration_in_months"):
        fields.integer("duration_in_months", least=1, null=False)
    return answer(_shown(rules.create(world(), fields.done())), 201)


@api.patch("/v1/discounts/<key>")
def update_discount(key: str) -> Response:
    """Change a discount."""
    doc = found("discount", key)
    changes = _fields(body()).done()
    needed = ("name", "duration", "type", "basis_points", "amount")
    kept = {
        name: value for name, value in changes.items() if value is not None or name not in needed
    }
    if kept.get("duration") == "repeating" and not kept.get("duration_in_months"):
        kept["duration_in_months"] = doc["duration_in_months"] or 1
    return answer(_shown(rules.update(world(), doc, kept)))


@api.delete("/v1/discounts/<key>")
def delete_discount(key: str) -> Response:
    """Forget a discount."""
    rules.delete(world(), found("discount", key))
    return nothing()


def _shown(doc: Doc) -> dict[str, Any]:
    return shapes.discount(world(), doc)


def _fields(given: dict[str, Any]) -> Fields:
    fields = Fields(given)
    fields.text("name", empty=False)
    fields.metadata("metadata")
    fields.choice("type", rules.TYPES, null=False)
    fields.choice("duration", rules.DURATIONS)
    fields.integer("duration_in_months", least=1, most=LONGEST_MONTHS)
    fields.integer("basis_points", least=1, most=rules.WHOLE)
    fields.integer("amount")
    fields.text("currency", longest=3)
    fields.amounts("amounts")
    for name in ("starts_at", "ends_at"):
        fields.moment(name)
    for name in ("max_redemptions", "max_redemptions_per_customer"):
        fields.integer(name, least=1)
    if given.get("products") is not None:
        fields.uuids("products")
    _check_code(fields)
    return fields


def _check_code(fields: Fields) -> None:
    code = fields.body.get("code")
    fields.text("code")
    if isinstance(code, str) and not (
        code.isalnum() and SHORTEST_CODE <= len(code) <= LONGEST_CODE
    ):
        fields.complain("value_error", "code", f"Value error, {CODE_FORM}", code)


def _need_amount(fields: Fields) -> None:
    if fields.body["type"] == "percentage":
        if fields.need("basis_points"):
            fields.integer("basis_points", least=1, most=rules.WHOLE, null=False)
    elif not fields.body.get("amounts") and fields.need("amount"):
        fields.integer("amount", null=False)
