"""The only writer of what we know from Polar. Every path ends in one of these functions.

Each takes the raw JSON of one object and the moment at which Polar showed it (the ``timestamp`` of an
event, the date of an API answer), and keeps the newer snapshot. They commit nothing: the edge does.
"""

from datetime import UTC, datetime
from typing import Any

from saas.billing import models
from saas.billing.payload import ORDER_STATUSES, SUBSCRIPTION_STATUSES, Reader, snapshot_fields
from saas.billing.store import keep_existing, keep_newer, link

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # Older than Polar: anything shown in full replaces it.


def put_customer(data: object, observed_at: datetime) -> str:
    """Keep a customer and find out whose it is by our id, never by e-mail. Returns the Polar id.

    Of one that was deleted no address and no name are kept, however late its events come.
    """
    read = Reader(data, "customer")
    deleted_at = read.optional_moment("deleted_at")
    external_id = read.optional_text("external_id")
    values = snapshot_fields(read, observed_at) | {
        "external_id": external_id,
        "email": "" if deleted_at else read.optional_text("email") or "",
        "name": None if deleted_at else read.optional_text("name"),
        "deleted_at": deleted_at,
    }
    keep_newer(models.Customer, values)
    if external_id:
        link(values["polar_id"], external_id)
    return str(values["polar_id"])


def put_product(data: object, observed_at: datetime) -> None:
    """Keep a product and its benefits."""
    read = Reader(data, "product")
    benefits = read.objects("benefits")
    values = _product_fields(read, observed_at) | {
        "prices": read.objects("prices"),
        "benefits": benefits,
    }
    keep_newer(models.Product, values)
    for benefit in benefits:
        put_benefit(benefit, observed_at)


def put_benefit(data: object, observed_at: datetime) -> None:
    """Keep a benefit."""
    read = Reader(data, "benefit")
    values = snapshot_fields(read, observed_at) | {
        "type": read.text("type"),
        "description": read.optional_text("description") or "",
        "is_deleted": read.flag("is_deleted"),
        "meta": read.mapping("metadata"),
    }
    keep_newer(models.Benefit, values)


def put_subscription(data: object, observed_at: datetime) -> None:
    """Keep a subscription, and its customer and product, which come inside it.

    Raises ``PayloadError`` for a status that we do not know: what it grants must be decided first.
    """
    read = Reader(data, "subscription")
    values = snapshot_fields(read, observed_at) | {
        "customer_id": read.identifier("customer_id"),
        "product_id": read.identifier("product_id"),
        "checkout_id": read.optional_identifier("checkout_id"),
        "status": read.choice("status", SUBSCRIPTION_STATUSES),
        "amount": read.number("amount", default=0),
        "currency": read.optional_text("currency") or "usd",
        "recurring_interval": read.text("recurring_interval"),
        "recurring_interval_count": read.number("recurring_interval_count", default=1),
        "cancel_at_period_end": read.flag("cancel_at_period_end"),
        "pause_at_period_end": read.flag("pause_at_period_end"),
        "pending_update": read.mapping("pending_update") or None,
    }
    moments = "current_period_start current_period_end trial_end canceled_at started_at "
    moments += "ends_at ended_at past_due_at resumes_at"
    values |= {name: read.optional_moment(name) for name in moments.split()}
    _put_embedded(read, observed_at)
    keep_newer(models.Subscription, values)


def put_order(data: object, observed_at: datetime) -> None:
    """Keep an order, and its customer. Its product comes in part, enough only where we have none."""
    read = Reader(data, "order")
    values = snapshot_fields(read, observed_at) | {
        "customer_id": read.identifier("customer_id"),
        "product_id": read.optional_identifier("product_id"),
        "subscription_id": read.optional_identifier("subscription_id"),
        "checkout_id": read.optional_identifier("checkout_id"),
        "status": read.choice("status", ORDER_STATUSES),
        "billing_reason": read.text("billing_reason"),
        "description": read.optional_text("description") or "",
        "total_amount": read.number("total_amount"),
        "refunded_amount": read.number("refunded_amount", default=0),
        "refunded_tax_amount": read.number("refunded_tax_amount", default=0),
        "currency": read.text("currency"),
        "invoice_number": read.optional_text("invoice_number"),
        "is_invoice_generated": read.flag("is_invoice_generated"),
    }
    _put_embedded(read, observed_at)
    keep_newer(models.Order, values)


def put_grant(data: object, observed_at: datetime) -> None:
    """Keep a benefit grant, and its customer and benefit."""
    read = Reader(data, "benefit_grant")
    values = snapshot_fields(read, observed_at) | {
        "customer_id": read.identifier("customer_id"),
        "benefit_id": read.identifier("benefit_id"),
        "subscription_id": read.optional_identifier("subscription_id"),
        "order_id": read.optional_identifier("order_id"),
        "is_granted": read.flag("is_granted") and not read.flag("is_revoked"),
    }
    if customer := read.nested("customer"):
        put_customer(customer.data, observed_at)
    if benefit := read.nested("benefit"):
        put_benefit(benefit.data, observed_at)
    keep_newer(models.Grant, values)


def _put_embedded(read: Reader, observed_at: datetime) -> None:
    if customer := read.nested("customer"):
        put_customer(customer.data, observed_at)
    product = read.nested("product")
    if product is None:
        return
    if "prices" in product.data and "benefits" in product.data:
        put_product(product.data, observed_at)
    else:
        partial = _product_fields(product, LONG_AGO) | {"prices": [], "benefits": []}
        keep_existing(models.Product, partial | {"modified_at": LONG_AGO})


def _product_fields(read: Reader, observed_at: datetime) -> dict[str, Any]:
    return snapshot_fields(read, observed_at) | {
        "name": read.text("name"),
        "description": read.optional_text("description"),
        "visibility": read.optional_text("visibility") or "public",
        "is_archived": read.flag("is_archived"),
        "recurring_interval": read.optional_text("recurring_interval"),
        "recurring_interval_count": read.optional_number("recurring_interval_count"),
        "trial_interval": read.optional_text("trial_interval"),
        "trial_interval_count": read.optional_number("trial_interval_count"),
        "meta": read.mapping("metadata"),
    }
