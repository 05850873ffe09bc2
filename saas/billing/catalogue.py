"""Our copy of the products. The pricing page reads it and never waits for Polar; a switch does."""

import uuid
from http import HTTPStatus

from sqlalchemy import select

from saas.billing import gateway, markings, reconcile
from saas.billing.gateway import PolarNotFound
from saas.billing.models import Product
from saas.errors import AppError
from saas.extensions import db


class UnknownProduct(AppError):
    """There is no such product, or it is not for sale."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_product"
    message = "This product is not for sale. Choose one from the pricing page."


class MalformedProduct(AppError):
    """What was sent is no product id."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "malformed_product"
    message = "That is not a product. Choose one from the pricing page."


def products_for_sale() -> list[Product]:
    """Return what the pricing page shows, in the order of product metadata ``order``."""
    found = db.session.scalars(select(Product).where(Product.visibility == "public"))
    return sorted((product for product in found if product.is_for_sale), key=_position)


def product_for_sale(product_id: str | None) -> Product:
    """Return one product. Raises ``MalformedProduct`` or ``UnknownProduct``."""
    try:
        polar_id = str(uuid.UUID(product_id or ""))
    except ValueError:
        raise MalformedProduct from None
    product = db.session.get(Product, polar_id)
    if product is None or not product.is_for_sale:
        raise UnknownProduct
    return product


def refresh(product_id: str) -> None:
    """Read a product from Polar and keep it. Raises ``UnknownProduct`` or ``gateway.PolarError``."""
    try:
        answer = gateway.product(product_id)
    except PolarNotFound:
        raise UnknownProduct from None
    reconcile.keep_one(Product, product_id, answer)


def _position(product: Product) -> tuple[float, int, str]:
    amounts = [price.get("price_amount") for price in product.prices]
    return (
        markings.position(product.meta),
        min((amount for amount in amounts if isinstance(amount, int)), default=0),
        product.polar_id,
    )
