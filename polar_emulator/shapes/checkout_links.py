"""Checkout links as the API shows them."""

from __future__ import annotations

from typing import Any

from polar_emulator.shapes import catalogue, discounts
from polar_emulator.store import Doc
from polar_emulator.world import World

KEYS = (
    "id", "created_at", "modified_at", "trial_interval", "trial_interval_count", "metadata",
    "success_url", "return_url", "label", "allow_discount_codes", "require_billing_address",
    "discount_id", "organization_id",
)  # fmt: skip


def checkout_link(world: World, doc: Doc) -> dict[str, Any]:
    """A link with its products and its discount."""
    products = [world.store.need("product", key) for key in doc["product_ids"]]
    return {
        **{name: doc[name] for name in KEYS},
        "payment_processor": "stripe",
        "client_secret": doc["secret"],
        "seats": None,
        "units": None,
        "products": [
            {**catalogue.checkout_product(world, product), "metadata": product["metadata"]}
            for product in products
        ],
        "discount": discounts.attached(world, doc["discount_id"]),
        "url": f"{world.public_url}/v1/checkout-links/{doc['secret']}/redirect",
    }
