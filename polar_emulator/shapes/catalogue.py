"""Products, prices, benefits and the organisation as the API shows them."""

from __future__ import annotations

from typing import Any

from polar_emulator.store import Doc
from polar_emulator.world import World

Json = dict[str, Any]

BENEFIT_PUBLIC_KEYS = (
    "id", "created_at", "modified_at", "type", "description", "selectable", "deletable",
    "is_deleted", "organization_id",
)  # fmt: skip

PRODUCT_KEYS = (
    "id",
    "created_at",
    "modified_at",
    "trial_interval",
    "trial_interval_count",
    "name",
    "description",
    "visibility",
    "recurring_interval",
    "recurring_interval_count",
    "meter_interval",
    "meter_interval_count",
    "is_recurring",
    "is_archived",
    "organization_id",
)
ORGANIZATION_PUBLIC_KEYS = (
    "created_at", "modified_at", "id", "name", "slug", "avatar_url", "proration_behavior",
    "allow_customer_updates", "bio", "company", "blog", "location", "twitter_username",
    "pledge_minimum_amount", "pledge_badge_show_amount",
    "default_upfront_split_to_contributors", "email", "website", "socials", "status",
    "details_submitted_at", "feature_settings", "subscription_settings",
    "customer_email_settings",
)  # fmt: skip


def price(product: Doc, doc: Doc) -> Json:
    """A price of a product, unless it names another one. A free price is a fixed one of 0, as with Polar."""
    amounts = (
        {"price_amount": doc["price_amount"]}
        if doc["amount_type"] == "fixed"
        else {name: doc[name] for name in ("minimum_amount", "maximum_amount", "preset_amount")}
    )
    return {
        "created_at": doc["created_at"],
        "modified_at": None,
        "id": doc["id"],
        "source": "catalog",
        "amount_type": doc["amount_type"],
        "price_currency": doc["price_currency"],
        "tax_behavior": None,
        "is_archived": False,
        "product_id": doc.get("product_id", product["id"]),
        "type": "recurring" if product["is_recurring"] else "one_time",
        "recurring_interval": doc.get("recurring_interval", product["recurring_interval"]),
        **amounts,
    }


def prices(product: Doc) -> list[Json]:
    """All present prices of a product."""
    return [price(product, doc) for doc in product["prices"]]


def product(world: World, doc: Doc) -> Json:
    """A product with prices and benefits, for the merchant."""
    return {
        **_bare(doc),
        "metadata": doc["metadata"],
        "is_deletable": doc["is_deletable"],
        "prices": prices(doc),
        "benefits": [benefit(world.store.need("benefit", key)) for key in doc["benefit_ids"]],
        "medias": [],
        "attached_custom_fields": [],
    }


def checkout_product(world: World, doc: Doc) -> Json:
    """A product as a buyer sees it in a checkout: benefits that are public, no metadata."""
    attached = [world.store.need("benefit", key) for key in doc["benefit_ids"]]
    benefits = [
        {name: benefit(found)[name] for name in BENEFIT_PUBLIC_KEYS}
        for found in attached
        if found["visibility"] == "public"
    ]
    return {**_bare(doc), "prices": prices(doc), "benefits": benefits, "medias": []}


def order_product(doc: Doc) -> Json:
    """A product as part of an order."""
    return {"metadata": doc["metadata"], **_bare(doc)}


def benefit(doc: Doc) -> Json:
    """A benefit."""
    return {
        "id": doc["id"],
        "created_at": doc["created_at"],
        "modified_at": doc["modified_at"],
        "type": doc["type"],
        "description": doc["description"],
        "selectable": True,
        "deletable": True,
        "is_deleted": doc["is_deleted"],
        "organization_id": doc["organization_id"],
        "metadata": doc["metadata"],
        "visibility": doc["visibility"],
        "properties": {},
        "visibility_configurable": True,
    }


def organization(doc: Doc) -> Json:
    """The organisation for its own members."""
    return dict(doc)


def public_organization(doc: Doc) -> Json:
    """The organisation as a buyer sees it in a checkout."""
    return {name: doc[name] for name in ORGANIZATION_PUBLIC_KEYS}


def _bare(doc: Doc) -> Json:
    return {name: doc[name] for name in PRODUCT_KEYS}
