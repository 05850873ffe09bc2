"""/v1/products and /v1/benefits."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from polar_emulator.api.fields import Fields
from polar_emulator.api.gate import api
from polar_emulator.api.wire import (
    answer,
    body,
    containing,
    equals,
    flag,
    found,
    listing,
    metadata,
    nothing,
    world,
)
from polar_emulator.errors import RuleError, SchemaError, problem
from polar_emulator.rules import products as rules
from polar_emulator.shapes import catalogue as shapes
from polar_emulator.store import Doc

INTERVALS = ("day", "week", "month", "year")
VISIBILITIES = ("draft", "private", "public")
AMOUNT_TYPES = ("fixed", "custom", "free")
ORGANIZATION_WITH_TOKEN = "Setting organization_id is disallowed when using an organization token."  # noqa: S105


@api.get("/v1/products/")
def products() -> Response:
    """Products, newest first."""
    where = {
        **equals("id", "organization_id", "visibility"),
        **flag("is_archived"),
        **flag("is_recurring"),
        **containing("name"),
        **metadata(),
    }
    return listing("product", where, _shown)


@api.get("/v1/products/<key>")
def product(key: str) -> Response:
    """A product."""
    return answer(_shown(found("product", key)))


@api.post("/v1/products/")
def create_product() -> Response:
    """A new product."""
    fields = _product_fields(body())
    if fields.need("name"):
        fields.text("name", empty=False)
    if fields.need("prices"):
        _check_prices(fields)
    return answer(_shown(rules.create(world(), fields.done())), 201)


@api.patch("/v1/products/<key>")
def update_product(key: str) -> Response:
    """Change a product."""
    doc = found("product", key)
    fields = _product_fields(body())
    fields.text("name", empty=False)
    fields.boolean("is_archived")
    if "prices" in fields.body:
        _check_prices(fields)
    return answer(_shown(rules.update(world(), doc, fields.done())))


@api.post("/v1/products/<key>/benefits")
def set_product_benefits(key: str) -> Response:
    """Attach exactly these benefits to a product."""
    doc = found("product", key)
    fields = Fields(body())
    if fields.need("benefits"):
        fields.uuids("benefits")
    return answer(_shown(rules.set_benefits(world(), doc, fields.done()["benefits"])))


@api.get("/v1/benefits/")
def benefits() -> Response:
    """Benefits, newest first."""
    where = {**equals("id", "organization_id", "type"), **containing("description"), **metadata()}
    return listing("benefit", {**where, "is_deleted": False}, shapes.benefit)


@api.get("/v1/benefits/<key>")
def benefit(key: str) -> Response:
    """A benefit."""
    return answer(shapes.benefit(found("benefit", key)))


@api.post("/v1/benefits/")
def create_benefit() -> Response:
    """A new benefit; only feature flags exist here."""
    fields = _benefit_fields()
    if fields.need("type"):
        fields.choice("type", ("feature_flag",))
    if fields.need("description"):
        fields.text("description", longest=42, empty=False)
    return answer(shapes.benefit(rules.create_benefit(world(), fields.done())), 201)


@api.patch("/v1/benefits/<key>")
def update_benefit(key: str) -> Response:
    """Change a benefit."""
    doc = found("benefit", key)
    fields = _benefit_fields()
    fields.text("description", longest=42, empty=False)
    return answer(shapes.benefit(rules.update_benefit(world(), doc, fields.done())))


@api.delete("/v1/benefits/<key>")
def delete_benefit(key: str) -> Response:
    """Forget a benefit; who has it loses it."""
    rules.delete_benefit(world(), found("benefit", key))
    return nothing()


def refuse_organization(given: dict[str, Any]) -> None:
    """RuleError when a body names an organisation: the token does that already."""
    if request.method == "POST" and given.get("organization_id") is not None:
        where, key = ("body", "organization_id"), given["organization_id"]
        raise RuleError([problem("organization_token", where, ORGANIZATION_WITH_TOKEN, key)])


def _shown(doc: Doc) -> dict[str, Any]:
    return shapes.product(world(), doc)


def _product_fields(given: dict[str, Any]) -> Fields:
    refuse_organization(given)
    fields = Fields(given)
    fields.text("description")
    fields.choice("visibility", VISIBILITIES)
    fields.choice("recurring_interval", INTERVALS)
    fields.integer("recurring_interval_count", least=1)
    fields.choice("trial_interval", INTERVALS)
    fields.integer("trial_interval_count", least=1)
    fields.metadata("metadata")
    return fields


def _benefit_fields() -> Fields:
    given = body()
    refuse_organization(given)
    fields = Fields(given)
    fields.metadata("metadata")
    fields.choice("visibility", ("public", "private"))
    return fields


def _check_prices(fields: Fields) -> None:
    given = fields.body["prices"]
    if given is None and request.method == "PATCH":
        return
    if not isinstance(given, list) or not given:
        message = "List should have at least 1 item after validation, not 0"
        fields.complain("too_short", "prices", message, given)
        return
    fields.values["prices"] = [_price(entry, place) for place, entry in enumerate(given)]


def _price(given: Any, place: int) -> dict[str, Any]:
    where = ("body", "prices", place)
    if not isinstance(given, dict):
        message = "Input should be a valid dictionary"
        raise SchemaError([problem("dict_type", where, message, given)])
    price = Fields(given)
    price.uuid("id")
    if "id" not in given and price.need("amount_type"):
        price.choice("amount_type", AMOUNT_TYPES)
        if given["amount_type"] == "fixed" and price.need("price_amount"):
            price.integer("price_amount")
    price.text("price_currency", longest=3)
    for name in ("minimum_amount", "maximum_amount", "preset_amount"):
        price.integer(name)
    return price.done()
