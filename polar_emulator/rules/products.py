"""Products, prices and benefits: what the merchant can create and change."""

from __future__ import annotations

from typing import Any

from polar_emulator.errors import impossible
from polar_emulator.events import emit
from polar_emulator.rules import grants
from polar_emulator.shapes import catalogue as shapes
from polar_emulator.store import Doc
from polar_emulator.world import World

TEXT_FIELDS = ("name", "description", "visibility", "metadata", "is_archived")
TRIAL_FIELDS = ("trial_interval", "trial_interval_count")


def create(world: World, fields: dict[str, Any]) -> Doc:
    """A new product. Without `recurring_interval` it is sold once."""
    interval = fields.get("recurring_interval")
    doc: Doc = {
        "id": fields.get("id") or world.new_id(),
        "created_at": world.stamp(),
        "modified_at": None,
        "trial_interval": fields.get("trial_interval"),
        "trial_interval_count": fields.get("trial_interval_count"),
        "name": fields["name"],
        "description": fields.get("description"),
        "visibility": fields.get("visibility") or "public",
        "recurring_interval": interval,
        "recurring_interval_count": (fields.get("recurring_interval_count") or 1)
        if interval
        else None,
        "meter_interval": None,
        "meter_interval_count": None,
        "is_recurring": interval is not None,
        "is_archived": False,
        "is_deletable": True,
        "organization_id": world.organization["id"],
        "metadata": fields.get("metadata") or {},
        "prices": [_price(world, price) for price in fields["prices"]],
        "benefit_ids": fields.get("benefit_ids") or [],
    }
    world.store.put("product", doc)
    emit(world, "product.created", shapes.product(world, doc))
    return doc


def update(world: World, doc: Doc, changes: dict[str, Any]) -> Doc:
    """Change a product. New prices replace the old ones; who subscribed already keeps theirs."""
    wanted = {name: changes[name] for name in (*TEXT_FIELDS, *TRIAL_FIELDS) if name in changes}
    if changes.get("prices"):
        wanted["prices"] = [_kept_or_new(world, doc, price) for price in changes["prices"]]
    if set(wanted) - {"prices"}:
        world.touch("product", doc, **wanted)
    else:
        doc.update(wanted)
        world.store.put("product", doc)
    emit(world, "product.updated", shapes.product(world, doc))
    return doc


def set_benefits(world: World, doc: Doc, benefit_ids: list[str]) -> Doc:
    """Attach exactly these benefits. RuleError for one that does not exist."""
    for place, key in enumerate(benefit_ids):
        benefit = world.store.get("benefit", key)
        if benefit is None or benefit["is_deleted"]:
            raise impossible(("benefits", place), "Benefit does not exist.", key)
    doc["benefit_ids"] = benefit_ids
    world.store.put("product", doc)
    emit(world, "product.updated", shapes.product(world, doc))
    return doc


def create_benefit(world: World, fields: dict[str, Any]) -> Doc:
    """A new benefit. Its `metadata` is what applications read; feature flags have no properties."""
    doc: Doc = {
        "id": fields.get("id") or world.new_id(),
        "created_at": world.stamp(),
        "modified_at": None,
        "type": fields["type"],
        "description": fields["description"],
        "is_deleted": False,
        "organization_id": world.organization["id"],
        "metadata": fields.get("metadata") or {},
        "visibility": fields.get("visibility") or "private",
    }
    world.store.put("benefit", doc)
    emit(world, "benefit.created", shapes.benefit(doc))
    return doc


def update_benefit(world: World, doc: Doc, changes: dict[str, Any]) -> Doc:
    """Change a benefit's description, metadata or visibility."""
    names = ("description", "metadata", "visibility")
    world.touch("benefit", doc, **{name: changes[name] for name in names if name in changes})
    emit(world, "benefit.updated", shapes.benefit(doc))
    return doc


def delete_benefit(world: World, doc: Doc) -> None:
    """Forget a benefit: no product has it any more, and its grants are revoked."""
    world.touch("benefit", doc, is_deleted=True)
    for product in world.store.find("product"):
        if doc["id"] in product["benefit_ids"]:
            kept = [key for key in product["benefit_ids"] if key != doc["id"]]
            world.store.put("product", {**product, "benefit_ids": kept})
    emit(world, "benefit.updated", shapes.benefit(doc))
    grants.revoke_benefit(world, doc["id"])


def _kept_or_new(world: World, doc: Doc, price: dict[str, Any]) -> Doc:
    for kept in doc["prices"]:
        if kept["id"] == price.get("id"):
            return dict(kept)
    return _price(world, price)


def _price(world: World, given: dict[str, Any]) -> Doc:
    price: Doc = {
        "id": given.get("id") or world.new_id(),
        "created_at": world.stamp(),
        "price_currency": given.get("price_currency") or "usd",
        "amount_type": "custom" if given["amount_type"] == "custom" else "fixed",
    }
    if price["amount_type"] == "custom":
        for name in ("minimum_amount", "maximum_amount", "preset_amount"):
            price[name] = given.get(name)
        price["minimum_amount"] = price["minimum_amount"] or 0
    else:
        # A free price is stored as a fixed one of 0: read the amount, not the type.
        price["price_amount"] = given.get("price_amount") or 0
    return price
