"""Products as Polar sends them, made small: only what we read."""

import uuid
from datetime import UTC, datetime
from typing import Any

from saas.billing import sync
from saas.extensions import db

CREATED = datetime(2026, 11, 1, tzinfo=UTC)


def product(
    name: str, price: int | dict[str, Any] = 2000, interval: str | None = "month", **changes: Any
) -> dict[str, Any]:
    """Return a product with one price; ``price`` is cents or the price's own fields."""
    fields = price if isinstance(price, dict) else {"amount_type": "fixed", "price_amount": price}
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        "created_at": CREATED.isoformat(),
        "modified_at": None,
        "name": name,
        "description": f"{name} for people.",
        "visibility": "public",
        "is_archived": False,
        "recurring_interval": interval,
        "recurring_interval_count": 1 if interval else None,
        "trial_interval": None,
        "trial_interval_count": None,
        "metadata": {},
        "prices": [{"price_currency": "usd", "is_archived": False} | fields],
        "benefits": [],
    } | changes


def put(*products: dict[str, Any]) -> None:
    """Keep the products as if Polar had just shown them."""
    for each in products:
        sync.put_product(each, CREATED)
    db.session.commit()
