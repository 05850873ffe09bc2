"""Customers, subscriptions, orders and grants as Polar sends them, made small: only what we read."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from saas.accounts.models import User
from saas.billing import sync
from saas.extensions import db, start_write
from tests.billing.catalogue_data import product

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FEATURES: dict[str, list[dict[str, Any]]] = {
    "Free": [{"feature": "projects", "limit": 3}],
    "Pro": [{"feature": "projects", "limit": 25}, {"feature": "reports"}],
    "Team": [{"feature": "projects", "limit": 100}, {"feature": "reports"}, {"feature": "api"}],
    "Lifetime": [{"feature": "projects", "limit": 25}, {"feature": "reports"}],
}
PRICES = {"Free": 0, "Pro": 2000, "Pro Yearly": 20000, "Team": 5000, "Lifetime": 39900}
PLANS = {"Pro Yearly": "Pro"}
INTERVALS = {"Pro Yearly": "year", "Lifetime": None}


def key(*parts: object) -> str:
    """An id that is the same in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, parts))))


def stamps(at: datetime = NOW) -> dict[str, Any]:
    return {"created_at": (at - timedelta(days=10)).isoformat(), "modified_at": at.isoformat()}


def benefit(metadata: dict[str, Any]) -> dict[str, Any]:
    return {
        **stamps(),
        "id": key("benefit", *metadata.values()),
        "type": "feature_flag",
        "description": str(metadata["feature"]),
        "metadata": metadata,
    }


def put_customer(user: User) -> str:
    customer_id = key("customer", user.public_id)
    fields = {"id": customer_id, "external_id": user.public_id, "email": user.email}
    sync.put_customer({**stamps(), **fields}, NOW)
    return customer_id


def put_product(name: str) -> str:
    interval = INTERVALS.get(name, "month")
    data = product(
        name, PRICES[name], interval, metadata={"plan": PLANS.get(name, name).lower()},
        benefits=[benefit(metadata) for metadata in FEATURES[PLANS.get(name, name)]],
    )  # fmt: skip
    sync.put_product(data, NOW)
    return str(data["id"])


def put_subscription(user: User, name: str = "Pro", number: int = 1, **changes: Any) -> str:
    """Keep a subscription with its grants. ``grants=False`` means Polar has revoked them."""
    start_write()
    granted = changes.pop("grants", True)
    subscription_id = key("subscription", user.public_id, number)
    data = {
        **stamps(),
        "id": subscription_id,
        "customer_id": put_customer(user),
        "product_id": put_product(name),
        "status": "active",
        "amount": PRICES[name],
        "currency": "usd",
        "recurring_interval": INTERVALS.get(name, "month"),
        "recurring_interval_count": 1,
        "started_at": (NOW - timedelta(days=10)).isoformat(),
        "current_period_end": (NOW + timedelta(days=20)).isoformat(),
    }
    sync.put_subscription(data | changes, NOW)
    put_grants(user, name, granted, subscription_id=subscription_id)
    db.session.commit()
    return subscription_id


def put_order(
    user: User, name: str = "Lifetime", status: str = "paid", *, grants: bool = True, **changes: Any
) -> str:
    """Keep a one-time purchase with its grants."""
    start_write()
    order_id = key("order", user.public_id, name)
    data = {
        **stamps(),
        "id": order_id,
        "customer_id": put_customer(user),
        "product_id": put_product(name),
        "status": status,
        "billing_reason": "purchase",
        "total_amount": PRICES[name],
        "currency": "usd",
    }
    sync.put_order(data | changes, NOW)
    put_grants(user, name, grants, order_id=order_id)
    db.session.commit()
    return order_id


def put_grants(user: User, name: str, granted: bool, **source: str) -> None:
    for metadata in FEATURES[PLANS.get(name, name)]:
        given = benefit(metadata)
        sync.put_grant(
            {
                **stamps(),
                **source,
                "id": key("grant", *source.values(), given["id"]),
                "customer_id": put_customer(user),
                "benefit_id": given["id"],
                "benefit": given,
                "is_granted": granted,
                "is_revoked": not granted,
            },
            NOW,
        )
