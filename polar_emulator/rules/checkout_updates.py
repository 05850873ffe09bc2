"""Changing an open checkout: by its merchant, and by its buyer before or while paying."""

from __future__ import annotations

from typing import Any

from polar_emulator.clock import parse
from polar_emulator.errors import ExpiredCheckout, NotOpenCheckout, impossible
from polar_emulator.events import emit
from polar_emulator.rules import checkouts, discounts
from polar_emulator.shapes import purchases as shapes
from polar_emulator.store import Doc
from polar_emulator.world import World

BUYER_FIELDS = ("customer_name", "customer_billing_name", "customer_billing_address", "locale")
MERCHANT_FIELDS = (
    "metadata", "customer_metadata", "success_url", "return_url", "embed_origin", "allow_trial",
    "allow_discount_codes", "require_billing_address", "trial_interval", "trial_interval_count",
    "customer_ip_address",
)  # fmt: skip
NOT_OFFERED = "Product is not available in this checkout."


def by_buyer(world: World, doc: Doc, given: dict[str, Any]) -> Doc:
    """What a buyer changes before paying. ExpiredCheckout, NotOpenCheckout, RuleError."""
    check_open(world, doc)
    apply(world, doc, given)
    return _changed(world, doc)


def by_merchant(world: World, doc: Doc, given: dict[str, Any]) -> Doc:
    """What a merchant changes. NotOpenCheckout when it is not open any more, RuleError."""
    if doc["status"] != "open":
        raise not_open(doc)
    for name in MERCHANT_FIELDS:
        if name in given and (given[name] is not None or name.startswith(("trial", "return"))):
            doc[name] = given[name]
    if doc["success_url"]:
        doc["success_url"] = doc["success_url"].replace("{CHECKOUT_ID}", doc["id"])
    if "discount_id" in given:
        _set_discount(world, doc, "discount_id", given["discount_id"])
    apply(world, doc, given)
    return _changed(world, doc)


def apply(world: World, doc: Doc, given: dict[str, Any]) -> None:
    """Take over the buyer's fields, the product, the amount and the discount code; price it again."""
    for name in BUYER_FIELDS:
        if given.get(name):
            doc[name] = given[name]
    if given.get("customer_email") and doc["customer_id"] is None:
        doc["customer_email"] = given["customer_email"]
    key = given.get("product_id") or doc["product_id"]
    if key not in doc["product_ids"]:
        raise impossible("product_id", NOT_OFFERED, key)
    custom = doc["amount"] if doc["price"]["amount_type"] == "custom" else None
    product = world.store.need("product", key)
    if key != doc["product_id"]:
        _drop_discount(world, doc, product)
        custom = None
    amount = given.get("amount")
    checkouts.choose(world, doc, product, custom if amount is None else amount)
    if "discount_code" in given:
        _set_code(world, doc, given["discount_code"])
    checkouts.set_totals(world, doc)


def check_open(world: World, doc: Doc) -> None:
    """ExpiredCheckout or NotOpenCheckout when it cannot be changed or paid any more."""
    if doc["status"] == "expired" or parse(doc["expires_at"]) <= world.now():
        raise ExpiredCheckout
    if doc["status"] != "open":
        raise not_open(doc)


def not_open(doc: Doc) -> NotOpenCheckout:
    """The error for a checkout that is confirmed, done or expired."""
    return NotOpenCheckout(f"Checkout {doc['id']} is not open: {doc['status']}")


def _set_code(world: World, doc: Doc, code: str | None) -> None:
    """Apply the discount behind a code; null takes a discount away."""
    if not code:
        doc["discount_id"] = None
        return
    found = discounts.by_code(world, code) if doc["allow_discount_codes"] else None
    product = world.store.need("product", doc["product_id"])
    doc["discount_id"] = discounts.usable(world, found, product, "discount_code", code)["id"]


def _set_discount(world: World, doc: Doc, field: str, key: str | None) -> None:
    if key is None:
        doc["discount_id"] = None
        return
    product = world.store.need("product", doc["product_id"])
    found = world.store.get("discount", key)
    doc["discount_id"] = discounts.usable(world, found, product, field, key)["id"]


def _drop_discount(world: World, doc: Doc, product: Doc) -> None:
    """A discount that is not for the newly chosen product is gone."""
    discount = world.store.get("discount", doc["discount_id"])
    if discount and discount["product_ids"] and product["id"] not in discount["product_ids"]:
        doc["discount_id"] = None


def _changed(world: World, doc: Doc) -> Doc:
    world.touch("checkout", doc)
    emit(world, "checkout.updated", shapes.checkout(world, doc))
    return doc
