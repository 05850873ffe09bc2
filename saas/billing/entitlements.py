"""Who may use what, now. Derived on every request from the copied objects; nothing is stored to go stale.

The plan comes from product metadata ``plan`` (else the product's name), features and limits from the
metadata of granted ``feature_flag`` benefits. What somebody without any purchase gets is ``FREE``.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import g
from sqlalchemy import String, Subquery, cast, func, literal, null, select, union_all

from saas.accounts.models import User
from saas.accounts.sessions import signed_in_user
from saas.billing.models import (
    Benefit,
    Customer,
    Grant,
    Order,
    Product,
    Subscription,
    past_due_is_tolerated,
)
from saas.config import current
from saas.extensions import db
from saas.kit.datetimes import UTCDateTime
from saas.kit.text import slug


@dataclass(frozen=True)
class Plan:
    """What a customer is on: ``key`` for code, ``name`` for people."""

    key: str
    name: str


@dataclass(frozen=True)
class Entitlements:
    """The plan, the features and the limits of one user at one moment."""

    plan: Plan
    status: str = "free"
    features: frozenset[str] = frozenset()
    limits: dict[str, int] = field(default_factory=dict)

    def can(self, feature: str) -> bool:
        """True when the feature may be used."""
        return feature in self.features


FREE = Entitlements(plan=Plan("free", "Free"))

PAID_ORDER_STATUSES = ("paid", "partially_refunded")
STATUS_RANK = ("active", "trialing", "past_due", "paused", "incomplete", "unpaid")


@dataclass(frozen=True)
class _Row:
    """One line of the query: a subscription, a grant or a one-time order."""

    kind: str
    id: str
    status: str
    label: str
    metadata: dict[str, Any] | None
    amount: int
    at: datetime | None
    source: str | None

    @property
    def meta(self) -> dict[str, Any]:
        return self.metadata or {}

    @property
    def is_in_force(self) -> bool:
        if self.kind == "subscription" and self.status == "past_due":
            return past_due_is_tolerated(self.at, current().past_due_grace_days)
        return self.status in {"active", "trialing", *PAID_ORDER_STATUSES}

    @property
    def names_a_plan(self) -> bool:
        """A subscription always does; a one-time purchase only when its product says so."""
        return self.kind == "subscription" or (self.kind == "order" and "plan" in self.meta)

    @property
    def plan(self) -> Plan:
        key = self.meta.get("plan")
        return Plan(key if isinstance(key, str) and key else self.label, self.label)


def current_entitlements() -> Entitlements:
    """Return the entitlements of whoever makes this request; one query at most for each request."""
    user = signed_in_user()
    if user is None:
        return FREE
    if "entitlements" not in g:
        g.entitlements = for_user(user)
    entitlements: Entitlements = g.entitlements
    return entitlements


def forget_current() -> None:
    """Read again the next time: something changed within this request."""
    g.pop("entitlements", None)


def can(feature: str) -> bool:
    """True when the present user may use the feature. Also a function in templates."""
    return current_entitlements().can(feature)


def for_user(user: User) -> Entitlements:
    """Return the entitlements of a user with one query."""
    rows = [_Row(*row) for row in db.session.execute(_query(user.id))]
    subscriptions = [row for row in rows if row.kind == "subscription"]
    ended = {row.id for row in subscriptions if not row.is_in_force}
    carriers = [row for row in rows if row.names_a_plan and row.is_in_force]
    grants = [row for row in rows if row.kind == "grant" and row.source not in ended]
    best = max(carriers, key=_weight, default=None)
    return Entitlements(
        plan=best.plan if best else FREE.plan,
        status=_status(best, subscriptions),
        features=FREE.features | {feature_name(row.label, row.meta) for row in grants},
        limits=_limits(grants),
    )


def feature_name(description: str, meta: dict[str, Any]) -> str:
    """Return the name that code uses for a feature flag: metadata ``feature``, else its description."""
    name = meta.get("feature")
    return name if isinstance(name, str) and name else slug(description)


def _weight(row: _Row) -> tuple[bool, int, str]:
    """Order what is in force: anything beats the free plan, then the higher price, then a fixed order."""
    return (row.plan.key != FREE.plan.key, row.amount, row.id)


def _status(best: _Row | None, subscriptions: list[_Row]) -> str:
    if best is not None:
        return best.status if best.kind == "subscription" else "active"
    found = {row.status for row in subscriptions}
    for status in STATUS_RANK:
        if status in found:
            return status
    return "canceled" if found else FREE.status


def _limits(grants: list[_Row]) -> dict[str, int]:
    limits = dict(FREE.limits)
    for row in grants:
        for key, value in row.meta.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            name = feature_name(row.label, row.meta) if key == "limit" else key
            limits[name] = max(limits.get(name, 0), int(value))
    return limits


def _query(user_id: int) -> Any:
    mine = select(Customer.polar_id).where(Customer.user_id == user_id).subquery()
    return union_all(_subscriptions(mine), _grants(mine), _orders(mine))


def _subscriptions(mine: Subquery) -> Any:
    return (
        select(
            literal("subscription", String).label("kind"),
            Subscription.polar_id,
            Subscription.status,
            func.coalesce(Product.name, "Subscription"),
            Product.meta,
            Subscription.amount,
            Subscription.past_due_at,
            cast(null(), String),
        )
        .join(mine, mine.c.polar_id == Subscription.customer_id)
        .outerjoin(Product, Product.polar_id == Subscription.product_id)
    )


def _grants(mine: Subquery) -> Any:
    return (
        select(
            literal("grant", String),
            Grant.polar_id,
            literal("granted", String),
            Benefit.description,
            Benefit.meta,
            literal(0),
            cast(null(), UTCDateTime),
            Grant.subscription_id,
        )
        .join(mine, mine.c.polar_id == Grant.customer_id)
        .join(Benefit, Benefit.polar_id == Grant.benefit_id)
        .where(Grant.is_granted, Benefit.type == "feature_flag")
    )


def _orders(mine: Subquery) -> Any:
    """One-time purchases of a product that names a plan; they last until refunded."""
    return (
        select(
            literal("order", String),
            Order.polar_id,
            Order.status,
            Product.name,
            Product.meta,
            Order.total_amount,
            cast(null(), UTCDateTime),
            cast(null(), String),
        )
        .join(mine, mine.c.polar_id == Order.customer_id)
        .join(Product, Product.polar_id == Order.product_id)
        .where(
            Order.subscription_id.is_(None),
            Order.billing_reason == "purchase",
            Order.status.in_(PAID_ORDER_STATUSES),
        )
    )
