"""/v1/checkouts, for the merchant."""

from __future__ import annotations

from typing import Any

from flask import Response

from polar_emulator.api.checkout_client import buyer_fields
from polar_emulator.api.fields import Fields
from polar_emulator.api.gate import api
from polar_emulator.api.wire import (
    answer,
    body,
    by_customer,
    containing,
    equals,
    found,
    listing,
    world,
)
from polar_emulator.errors import Problem, SchemaError
from polar_emulator.rules import checkout_updates
from polar_emulator.rules import checkouts as rules
from polar_emulator.shapes import purchases as shapes

# Recorded: the three ways to name what is bought are tried in turn and each complains.
VARIANT = (
    "function-after[_validate_unit_constraints(), function-after[_validate_seat_constraints(), "
    "function-after[is_complete_configuration(), {}]]]"
)
INTERVALS = ("day", "week", "month", "year")


@api.get("/v1/checkouts/")
def checkouts() -> Response:
    """Checkouts, newest first."""
    where = {
        **equals("organization_id", "product_id", "status"),
        **by_customer(),
        **containing("customer_email"),
    }
    return listing("checkout", where, lambda doc: shapes.checkout(world(), doc))


@api.get("/v1/checkouts/<key>")
def checkout(key: str) -> Response:
    """A checkout."""
    return answer(shapes.checkout(world(), found("checkout", key)))


@api.post("/v1/checkouts/")
def create_checkout() -> Response:
    """A new checkout."""
    doc = rules.create(world(), _wanted(body()))
    return answer(shapes.checkout(world(), doc), 201)


@api.patch("/v1/checkouts/<key>")
def update_checkout(key: str) -> Response:
    """Change a checkout that is still open."""
    doc = found("checkout", key)
    fields = buyer_fields(_fields(body(), ("body",)))
    fields.values.pop("discount_code", None)
    doc = checkout_updates.by_merchant(world(), doc, fields.done())
    return answer(shapes.checkout(world(), doc))


def _wanted(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a new checkout, with `products` whichever way they were named."""
    fields = _fields(given, ("body",))
    by_products = _products_fields(fields)
    if not by_products.problems:
        return by_products.done()
    if _names_one_product(given):
        single = _single_product(given)
        if not single.problems:
            return single.done()
    raise SchemaError(_all_complaints(given))


def _fields(given: dict[str, Any], where: tuple[str, ...]) -> Fields:
    fields = Fields(given, *where)
    fields.metadata("metadata")
    fields.metadata("customer_metadata")
    fields.email("customer_email")
    for name in ("success_url", "return_url", "embed_origin"):
        fields.url(name)
    for name in ("customer_id", "subscription_id", "discount_id"):
        fields.uuid(name)
    for name in ("external_customer_id", "customer_name", "customer_billing_name", "locale"):
        fields.text(name)
    fields.text("customer_ip_address")
    for name in ("allow_trial", "allow_discount_codes", "require_billing_address"):
        fields.boolean(name)
    fields.choice("trial_interval", INTERVALS)
    fields.integer("trial_interval_count", least=1)
    fields.integer("amount")
    fields.address("customer_billing_address")
    return fields


def _products_fields(fields: Fields) -> Fields:
    if fields.need("products"):
        fields.uuids("products", least=1)
    return fields


def _names_one_product(given: dict[str, Any]) -> bool:
    return "product_id" in given or "product_price_id" in given


def _single_product(given: dict[str, Any]) -> Fields:
    """The deprecated `product_id` and `product_price_id`."""
    fields = _fields(given, ("body",))
    fields.uuid("product_id")
    fields.uuid("product_price_id")
    key = given.get("product_id")
    if key is None:
        for product in world().store.find("product"):
            if given.get("product_price_id") in [price["id"] for price in product["prices"]]:
                key = product["id"]
    fields.values["products"] = [key or given.get("product_price_id")]
    return fields


def _all_complaints(given: dict[str, Any]) -> list[Problem]:
    problems = _products_fields(
        _fields(given, ("body", VARIANT.format("CheckoutProductsCreate")))
    ).problems
    for name, field in (
        ("CheckoutProductCreate", "product_id"),
        ("CheckoutPriceCreate", "product_price_id"),
    ):
        fields = _fields(given, ("body", VARIANT.format(name)))
        if fields.need(field):
            fields.uuid(field)
        problems += fields.problems
    return problems
