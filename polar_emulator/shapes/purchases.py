"""Checkouts, subscriptions and orders as the API shows them."""

from __future__ import annotations

from typing import Any

from polar_emulator.shapes import catalogue, customers, discounts
from polar_emulator.store import Doc
from polar_emulator.world import World

Json = dict[str, Any]

# Merchants see these of a checkout; its buyer, who has only the client secret, does not.
CHECKOUT_PRIVATE_KEYS = (
    "trial_interval",
    "trial_interval_count",
    "metadata",
    "external_customer_id",
    "customer_external_id",
    "subscription_id",
    "customer_metadata",
)
CHECKOUT_KEYS = (
    "id", "created_at", "modified_at", "custom_field_data", "payment_processor", "status",
    "client_secret", "url", "expires_at", "success_url", "return_url", "embed_origin",
    "amount", "seats", "min_seats", "max_seats", "units", "min_units", "max_units",
    "discount_amount", "net_amount", "tax_amount", "tax_behavior", "total_amount", "currency",
    "allow_trial", "active_trial_interval", "active_trial_interval_count", "trial_end",
    "organization_id", "product_id", "product_price_id", "discount_id",
    "allow_discount_codes", "require_billing_address", "is_discount_applicable",
    "is_free_product_price", "is_payment_required", "is_payment_setup_required",
    "is_payment_form_required", "customer_id", "is_business_customer", "customer_name",
    "customer_email", "customer_ip_address", "customer_billing_name",
    "customer_billing_address", "customer_tax_id", "locale", "payment_method_type",
    "payment_processor_metadata",
)  # fmt: skip
SUBSCRIPTION_KEYS = (
    "created_at", "modified_at", "id", "amount", "currency", "recurring_interval",
    "recurring_interval_count", "status", "current_period_start", "current_period_end",
    "current_meter_period_start", "current_meter_period_end", "trial_start", "trial_end",
    "cancel_at_period_end", "canceled_at", "started_at", "ends_at", "ended_at", "past_due_at",
    "pause_at_period_end", "paused_at", "resumes_at", "customer_id", "product_id",
    "discount_id", "checkout_id", "seats", "units", "customer_cancellation_reason",
    "customer_cancellation_comment", "price_id",
)  # fmt: skip
ORDER_KEYS = (
    "id", "created_at", "modified_at", "status", "paid", "subtotal_amount", "discount_amount",
    "net_amount", "tax_amount", "total_amount", "applied_balance_amount", "due_amount",
    "refunded_amount", "refunded_tax_amount", "currency", "billing_reason", "billing_name",
    "billing_address", "invoice_number", "is_invoice_generated", "receipt_number", "seats",
    "units", "customer_id", "product_id", "product_price_id", "discount_id",
    "subscription_id", "checkout_id", "next_payment_attempt_at", "metadata",
    "custom_field_data", "platform_fee_amount", "platform_fee_currency",
)  # fmt: skip
REFUND_KEYS = (
    "created_at", "modified_at", "id", "metadata", "status", "reason", "amount", "tax_amount",
    "currency", "organization_id", "order_id", "subscription_id", "customer_id",
    "revoke_benefits",
)  # fmt: skip
FULL_ADDRESS_COUNTRIES = ("US", "CA")


def checkout(world: World, doc: Doc) -> Json:
    """A checkout for the merchant."""
    shown = _checkout_head(doc)
    shown.update({name: doc[name] for name in CHECKOUT_PRIVATE_KEYS[:5]})
    shown.update(_checkout_products(world, doc))
    shown["subscription_id"] = doc["subscription_id"]
    shown["attached_custom_fields"] = []
    shown["customer_metadata"] = doc["customer_metadata"]
    shown["subtotal_amount"] = _subtotal(doc)
    return shown


def public_checkout(world: World, doc: Doc) -> Json:
    """A checkout for its buyer."""
    return {
        **_checkout_head(doc),
        **_checkout_products(world, doc),
        "organization": catalogue.public_organization(world.organization),
        "attached_custom_fields": [],
        "subtotal_amount": _subtotal(doc),
    }


def subscription(world: World, doc: Doc) -> Json:
    """A subscription with its customer, product and price."""
    owner = world.store.need("customer", doc["customer_id"])
    product = world.store.need("product", doc["product_id"])
    price = catalogue.price(product, doc["price"])
    return {
        **{name: doc[name] for name in SUBSCRIPTION_KEYS},
        "metadata": doc["metadata"],
        "custom_field_data": {},
        "customer": customers.customer(owner),
        "user_id": owner["id"],
        "user": customers.user(owner),
        "product": catalogue.product(world, product),
        "discount": discounts.attached(world, doc["discount_id"]),
        "price": price,
        "prices": [price],
        "meters": [],
        "pending_update": doc["pending_update"],
    }


def order(world: World, doc: Doc) -> Json:
    """An order with its customer, product, subscription and items."""
    owner = world.store.need("customer", doc["customer_id"])
    product = world.store.need("product", doc["product_id"])
    bought = world.store.get("subscription", doc["subscription_id"])
    return {
        **{name: doc[name] for name in ORDER_KEYS},
        "customer": customers.customer(owner),
        "user_id": owner["id"],
        "user": customers.user(owner),
        "product": catalogue.order_product(product),
        "product_price": doc["price"] and catalogue.price(product, doc["price"]),
        "discount": discounts.attached(world, doc["discount_id"]),
        "subscription": bought and _order_subscription(bought),
        "items": doc["items"],
        "description": product["name"],
        "amount": doc["net_amount"],
        "from_balance_amount": 0,
        "refundable_amount": refundable(doc),
        "refundable_tax_amount": doc["tax_amount"] - doc["refunded_tax_amount"],
    }


def refundable(doc: Doc) -> int:
    """What has not been refunded of an order, without tax; recorded: also of one that is void."""
    return max(int(doc["net_amount"] - doc["refunded_amount"]), 0)


def refund(doc: Doc) -> Json:
    """A refund."""
    return {**{name: doc[name] for name in REFUND_KEYS}, "dispute": None}


def _checkout_head(doc: Doc) -> Json:
    address = doc["customer_billing_address"] or {}
    full = address.get("country") in FULL_ADDRESS_COUNTRIES
    parts = ("state", "city", "postal_code", "line1")
    wanted = "required" if full else "disabled"
    return {
        **{name: doc[name] for name in CHECKOUT_KEYS},
        "customer_billing_address_fields": {
            "country": True,
            **dict.fromkeys(parts, full),
            "line2": False,
        },
        "billing_address_fields": {
            "country": "required",
            **dict.fromkeys(parts, wanted),
            "line2": "optional" if full else "disabled",
        },
    }


def _checkout_products(world: World, doc: Doc) -> Json:
    offered = [world.store.need("product", key) for key in doc["product_ids"]]
    chosen = world.store.need("product", doc["product_id"])
    return {
        "products": [catalogue.checkout_product(world, product) for product in offered],
        "product": catalogue.checkout_product(world, chosen),
        "product_price": catalogue.price(chosen, doc["price"]),
        "prices": {product["id"]: catalogue.prices(product) for product in offered},
        "discount": discounts.public(world, doc["discount_id"]),
    }


def _subtotal(doc: Doc) -> int:
    return int(doc["net_amount"])


def _order_subscription(doc: Doc) -> Json:
    return {
        "metadata": doc["metadata"],
        **{name: doc[name] for name in SUBSCRIPTION_KEYS},
        "user_id": doc["customer_id"],
    }
