"""What the pricing page will show, and why it does not show the rest."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from saas.billing import catalogue, markings, reconcile
from saas.billing.models import Product
from saas.extensions import db
from saas.kit.money import format_money


@dataclass(frozen=True)
class Shown:
    """One product: shown when ``hidden_because`` is empty."""

    name: str
    product_id: str
    plan: str
    price: str
    features: tuple[str, ...]
    hidden_because: str
    advice: tuple[str, ...]


def products() -> list[Shown]:
    """Read the catalogue anew and return every product, those on the page first and in its order.

    Raises ``gateway.PolarError``.
    """
    reconcile.refresh_catalogue()
    for_sale = catalogue.products_for_sale()
    others = select(Product).where(Product.polar_id.not_in([p.polar_id for p in for_sale]))
    rows = [*for_sale, *db.session.scalars(others.order_by(Product.name))]
    return [_shown(row) for row in rows]


def _shown(product: Product) -> Shown:
    flags = [flag for flag in product.benefits if flag.get("type") == "feature_flag"]
    return Shown(
        name=product.name,
        product_id=product.polar_id,
        plan=product.plan_key,
        price=_price(product),
        features=tuple(str(flag.get("description")) for flag in flags),
        hidden_because=_reason(product),
        advice=tuple(_advice(product, flags)),
    )


def _reason(product: Product) -> str:
    if product.is_archived:
        return "it is archived; make it active again in Polar"
    if product.visibility != "public":
        return f"its visibility is {product.visibility}; make it public in Polar"
    return ""


def _advice(product: Product, flags: list[dict[str, Any]]) -> list[str]:
    found = []
    if "plan" not in product.meta:
        found.append("no metadata plan, so its name is the plan's name in code")
    if "order" not in product.meta:
        found.append("no metadata order, so it stands behind the others")
    if not flags:
        found.append("no feature flag, so buying it allows nothing")
    if not product.prices:
        found.append("no price, so the page says: see checkout")
    found.extend(markings.mistakes_of_product(product.name, product.meta))
    for flag in flags:
        described, meta = str(flag.get("description") or ""), flag.get("metadata") or {}
        found.extend(markings.mistakes_of_benefit(described, meta))
    return found


def _price(product: Product) -> str:
    prices = [price for price in product.prices if not price.get("is_archived")]
    amount = prices[0].get("price_amount") if prices else None
    if not isinstance(amount, int):
        return "see checkout"
    words = format_money(amount, str(prices[0].get("price_currency") or "usd"))
    interval = product.recurring_interval
    return f"{words} per {interval}" if interval else f"{words} once"
