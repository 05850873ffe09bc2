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


def fixed_price(product: Product) -> tuple[int, str] | None:
    """Return amount and currency of a product with one plain price, else ``None``."""
    prices = [price for price in product.prices if not price.get("is_archived")]
    kinds = {price.get("amount_type") for price in prices}
    if len(prices) != 1 or not kinds <= {"fixed", "free"}:
        return None
    amount = prices[0].get("price_amount") or 0
    return int(amount), str(prices[0].get("price_currency") or "usd")


def upcoming(subscription: Subscription) -> tuple[str, str]:
    """Return the name and the price from the next period on: those of a change that is scheduled."""
    wanted = (subscription.pending_update or {}).get("product_id")
    product = db.session.get(Product, wanted) if wanted else None
    if product is None:
        return product_name(subscription.product_id), per_period(subscription)
    price = fixed_price(product)
    words = (
        f"{format_money(*price)} {per_period(product)}" if price else f"the price of {product.name}"
    )
    return product.name, words
