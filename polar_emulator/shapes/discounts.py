"""Discounts as the API shows them: in full, inside other objects, and to a buyer."""

from __future__ import annotations

from typing import Any

from polar_emulator.shapes import catalogue
from polar_emulator.store import Doc
from polar_emulator.world import World

Json = dict[str, Any]

BASE_KEYS = (
    "created_at", "modified_at", "id", "metadata", "name", "code", "starts_at", "ends_at",
    "max_redemptions", "max_redemptions_per_customer", "redemptions_count", "organization_id",
)  # fmt: skip


def discount(world: World, doc: Doc) -> Json:
    """A discount for the merchant."""
    products = [world.store.need("product", key) for key in doc["product_ids"]]
    return {**_terms(doc), **_base(doc), "products": list(map(catalogue.order_product, products))}


def attached(world: World, key: str | None) -> Json | None:
    """The discount of a subscription, an order or a link, None without one."""
    doc = world.store.get("discount", key)
    return {**_terms(doc), **_base(doc)} if doc else None


def public(world: World, key: str | None) -> Json | None:
    """The discount of a checkout, as its buyer sees it."""
    doc = world.store.get("discount", key)
    return {**_terms(doc), **{name: doc[name] for name in ("id", "name", "code")}} if doc else None


def amounts(doc: Doc) -> dict[str, int]:
    """What a fixed discount takes off, by currency."""
    return doc["amounts"] or {doc["currency"] or "usd": doc["amount"] or 0}


def _terms(doc: Doc) -> Json:
    shown: Json = {"duration": doc["duration"], "type": doc["type"]}
    if doc["duration"] == "repeating":
        shown["duration_in_months"] = doc["duration_in_months"]
    if doc["type"] == "percentage":
        return {**shown, "basis_points": doc["basis_points"]}
    by_currency = amounts(doc)
    currency = doc["currency"] or next(iter(by_currency))
    amount = by_currency.get(currency, 0)
    return {**shown, "amount": amount, "currency": currency, "amounts": by_currency}


def _base(doc: Doc) -> Json:
    return {name: doc[name] for name in BASE_KEYS}
