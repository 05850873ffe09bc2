"""Checkout links: addresses that open a new checkout for whoever follows them."""

from __future__ import annotations

from typing import Any

from polar_emulator.errors import RuleError, impossible, problem
from polar_emulator.rules import checkouts
from polar_emulator.rules.discounts import UNKNOWN
from polar_emulator.store import Doc
from polar_emulator.world import World

FIELDS = (
    "metadata", "trial_interval", "trial_interval_count", "label", "allow_discount_codes",
    "require_billing_address", "discount_id", "success_url", "return_url",
)  # fmt: skip
# What a visitor may add to the address, and the field of the checkout that it fills.
FROM_QUERY = {
    "customer_email": "customer_email",
    "customer_name": "customer_name",
    "customer_external_id": "external_customer_id",
    "locale": "locale",
}


def create(world: World, wanted: dict[str, Any]) -> Doc:
    """A new link. RuleError for products and a discount that do not exist."""
    doc: Doc = {
        **dict.fromkeys(FIELDS),
        "id": world.new_id(),
        "created_at": world.stamp(),
        "modified_at": None,
        "secret": checkouts.random_secret("polar_cl_"),
        "organization_id": world.organization["id"],
        "is_deleted": False,
    }
    doc.update(allow_discount_codes=True, require_billing_address=False, metadata={})
    _change(world, doc, wanted)
    return world.store.put("checkout_link", doc)


def update(world: World, doc: Doc, changes: dict[str, Any]) -> Doc:
    """Change a link; checkouts that it has opened stay as they are."""
    _change(world, doc, changes)
    return world.touch("checkout_link", doc)


def delete(world: World, doc: Doc) -> None:
    """Forget a link."""
    world.touch("checkout_link", doc, is_deleted=True)


def follow(world: World, doc: Doc, query: dict[str, str]) -> Doc:
    """Open the checkout that a link is for; `discount_code` and details of the buyer may come along."""
    wanted = {name: doc[name] for name in FIELDS if name != "label"}
    wanted["products"] = doc["product_ids"]
    wanted.update({field: query[name] for name, field in FROM_QUERY.items() if query.get(name)})
    return checkouts.create(world, wanted)


def _change(world: World, doc: Doc, given: dict[str, Any]) -> None:
    if given.get("products") is not None:
        doc["product_ids"] = _products(world, given["products"])
    key = given.get("discount_id")
    if key is not None and not _discount_exists(world, key):
        raise impossible("discount_id", UNKNOWN, key)
    fixed = ("allow_discount_codes", "require_billing_address", "metadata")
    for name in FIELDS:
        if name in given and not (given[name] is None and name in fixed):
            doc[name] = given[name]


def _products(world: World, keys: list[str]) -> list[str]:
    problems = []
    for place, key in enumerate(keys):
        product, where = world.store.get("product", key), ("body", "products", place)
        if product is None:
            problems.append(problem("value_error", where, "Product does not exist.", key))
        elif product["is_archived"]:
            problems.append(problem("value_error", where, "Product is archived.", key))
    if problems:
        raise RuleError(problems)
    return keys


def _discount_exists(world: World, key: str) -> bool:
    doc = world.store.get("discount", key)
    return doc is not None and not doc["is_deleted"]
