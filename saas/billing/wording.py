"""Prices, periods and names of plans in words, the same on every page and in every mail."""

from saas.billing.models import Product, Subscription
from saas.extensions import db
from saas.kit.money import format_money


def period_words(interval: str, count: int | None) -> str:
    """Return "month" or "3 months"."""
    return interval if count in {None, 1} else f"{count} {interval}s"


def per_period(thing: Product | Subscription) -> str:
    """Return "per month" for a product, and "$20 per month" for a subscription."""
    words = "per " + period_words(thing.recurring_interval or "", thing.recurring_interval_count)
    if isinstance(thing, Product):
        return words
    return f"{format_money(thing.amount, thing.currency)} {words}"


def product_name(product_id: str | None) -> str:
    """Return the name of a product as customers know it."""
    product = db.session.get(Product, product_id) if product_id else None
    return product.name if product else "your plan"
