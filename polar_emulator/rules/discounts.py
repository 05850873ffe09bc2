"""Discounts: making them, finding who may use them, and what they take off."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from polar_emulator.clock import parse
from polar_emulator.errors import DiscountLimitReached, RuleError, impossible, problem
from polar_emulator.events import emit
from polar_emulator.rules import periods
from polar_emulator.rules.money import round_half_up
from polar_emulator.shapes import discounts as shapes
from polar_emulator.store import Doc
from polar_emulator.world import World

DURATIONS = ("once", "forever", "repeating")
TYPES = ("fixed", "percentage")
FIELDS = (
    "name", "metadata", "code", "starts_at", "ends_at", "max_redemptions",
    "max_redemptions_per_customer", "duration", "duration_in_months", "type", "amount",
    "currency", "amounts", "basis_points",
)  # fmt: skip
UNKNOWN = "Discount does not exist."
CODE_TAKEN = "Discount with this code already exists."
WHOLE = 10000


def create(world: World, fields: dict[str, Any]) -> Doc:
    """A new discount. RuleError for a code that is taken and for products that do not exist."""
    doc: Doc = {
        **dict.fromkeys(FIELDS),
        "id": world.new_id(),
        "created_at": world.stamp(),
        "modified_at": None,
        "redemptions_count": 0,
        "organization_id": world.organization["id"],
        "is_deleted": False,
        "product_ids": [],
    }
    _change(world, doc, fields)
    world.store.put("discount", doc)
    emit(world, "discount.created", shapes.discount(world, doc))
    return doc


def update(world: World, doc: Doc, changes: dict[str, Any]) -> Doc:
    """Change a discount; who has it already keeps it with the new terms."""
    _change(world, doc, changes)
    world.touch("discount", doc)
    emit(world, "discount.updated", shapes.discount(world, doc))
    return doc


def delete(world: World, doc: Doc) -> None:
    """Nobody can use it any more; running subscriptions keep it."""
    world.touch("discount", doc, is_deleted=True)
    emit(world, "discount.deleted", shapes.discount(world, doc))


def by_code(world: World, code: str) -> Doc | None:
    """The discount with this code, whatever its case."""
    return world.store.first("discount", {"code_key": code.lower(), "is_deleted": False})


def usable(world: World, doc: Doc | None, product: Doc, field: str, given: Any) -> Doc:
    """The discount, if it can be used for a product now; else the one RuleError there is for it."""
    if doc is None or doc["is_deleted"] or not _is_open(world, doc) or is_used_up(doc):
        raise impossible(field, UNKNOWN, given)
    if doc["product_ids"] and product["id"] not in doc["product_ids"]:
        raise impossible(field, UNKNOWN, given)
    return doc


def is_used_up(doc: Doc) -> bool:
    """Whether nobody else can redeem it."""
    return doc["max_redemptions"] is not None and doc["redemptions_count"] >= doc["max_redemptions"]


def check_limits(world: World, doc: Doc, customer_id: str | None) -> None:
    """DiscountLimitReached when it is used up, by everybody or by this customer."""
    most = doc["max_redemptions_per_customer"]
    where = {"discount_id": doc["id"], "customer_id": customer_id}
    mine = world.store.count("redemption", where) if most is not None and customer_id else 0
    if is_used_up(doc) or (most is not None and mine >= most):
        raise DiscountLimitReached


def redeem(world: World, discount_id: str, customer_id: str) -> None:
    """Note that a customer has used it."""
    doc = world.store.need("discount", discount_id)
    world.store.put("discount", {**doc, "redemptions_count": doc["redemptions_count"] + 1})
    redemption = {"discount_id": discount_id, "customer_id": customer_id}
    world.store.put("redemption", {"id": world.new_id(), **redemption})


def off(doc: Doc | None, amount: int, currency: str) -> int:
    """What a discount takes off an amount; never more than the amount."""
    if doc is None or amount <= 0:
        return 0
    if doc["type"] == "percentage":
        return round_half_up(Fraction(amount * doc["basis_points"], WHOLE))
    return min(int(shapes.amounts(doc).get(currency, 0)), amount)


def is_free_forever(doc: Doc | None) -> bool:
    """Whether nothing will ever be charged."""
    return (
        doc is not None
        and doc["type"] == "percentage"
        and doc["basis_points"] == WHOLE
        and doc["duration"] == "forever"
    )


def lasts(doc: Doc, first: str, start: str) -> bool:
    """Whether it still counts for a period that starts then; `first` is when the first one did."""
    if doc["duration"] == "forever":
        return True
    if doc["duration"] == "once":
        return start <= first
    return parse(start) < periods.add(parse(first), "month", doc["duration_in_months"])


def _is_open(world: World, doc: Doc) -> bool:
    now = world.stamp()
    return (doc["starts_at"] or "") <= now and (doc["ends_at"] is None or now < doc["ends_at"])


def _change(world: World, doc: Doc, fields: dict[str, Any]) -> None:
    code = fields.get("code")
    taken = by_code(world, code) if code else None
    if taken and taken["id"] != doc["id"]:
        raise impossible("code", CODE_TAKEN, code)
    doc.update({name: fields[name] for name in FIELDS if name in fields})
    doc["code_key"] = doc["code"].lower() if doc["code"] else None
    doc["metadata"] = doc["metadata"] or {}
    if fields.get("products") is not None:
        doc["product_ids"] = _products(world, fields["products"])


def _products(world: World, keys: list[str]) -> list[str]:
    problems = [
        problem("value_error", ("body", "products", place), "Product does not exist.", key)
        for place, key in enumerate(keys)
        if world.store.get("product", key) is None
    ]
    if problems:
        raise RuleError(problems)
    return keys
