"""Everything that somebody holds, in one query: subscriptions, benefits, one-time purchases, comps."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Integer,
    String,
    Subquery,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    select,
    union_all,
)

from saas.accounts.models import User
from saas.billing import comps
from saas.billing.comps import Comp
from saas.billing.markings import plan_key
from saas.billing.models import (
    Benefit,
    Customer,
    Grant,
    Order,
    Product,
    Subscription,
)
from saas.billing.standing import past_due_is_tolerated, status_at
from saas.config import current
from saas.extensions import db
from saas.kit.compiled import CompiledSelect
from saas.kit.datetimes import UTCDateTime, utcnow
from saas.kit.sql import is_one_of, word

PAID_ORDER_STATUSES = ("paid", "partially_refunded")
COMPED = "comped"
IN_COMP = "benefits of a comp"
NOW = bindparam("now", type_=UTCDateTime)
MONTHS = {"day": 12 / 365, "week": 12 / 52, "month": 1, "year": 12}


@dataclass(frozen=True)
class Plan:
    """What a customer is on: ``key`` for code, ``name`` for people."""

    key: str
    name: str


@dataclass(frozen=True)
class Holding:
    """One line of the query: a subscription, a grant, a one-time order or a comp."""

    kind: str
    id: str
    status: str
    label: str
    metadata: Any  # An object, or nothing; a list in the lines that `_given` takes apart.
    amount: int
    at: datetime | None
    source: str | None
    interval: str | None
    interval_count: int | None

    @property
    def meta(self) -> dict[str, Any]:
        """The metadata of the product or benefit."""
        return self.metadata or {}

    @property
    def is_in_force(self) -> bool:
        """True while it gives what it names: now, on trial, in the grace period, or bought once."""
        if self.kind == "subscription" and self.status == "past_due":
            return past_due_is_tolerated(self.at, current().past_due_grace_days)
        return self.status in {"active", "trialing", COMPED, *PAID_ORDER_STATUSES}

    @property
    def names_a_plan(self) -> bool:
        """A subscription and a comp do; a one-time purchase only when its product says so."""
        if self.kind == "order":
            return "plan" in self.meta
        return self.kind in {"subscription", "comp"}

    @property
    def plan(self) -> Plan:
        """The plan that it stands for."""
        return Plan(plan_key(self.label, self.meta), self.label)

    @property
    def monthly_amount(self) -> float:
        """The price of a month, so that a year of a small plan does not look dearer than a big one."""
        return a_month(self.amount, self.interval, self.interval_count)


def a_month(amount: int, interval: str | None, count: int | None) -> float:
    """Return what a price comes to in a month."""
    return amount / (MONTHS.get(interval or "", 1) * (count or 1))


def of(user: User, now: datetime | None = None) -> list[Holding]:
    """Return what a user holds or once held, as we know it, at a moment, else now. One query."""
    who = {"user_id": user.id, "now": now or utcnow()}
    rows = [Holding(*row) for row in _HELD.rows(db, who)]
    return [held for row in rows for held in ([row] if row.kind != IN_COMP else _given(row))]


def _given(row: Holding) -> Iterator[Holding]:
    """Turn the list of a comp's benefits, which comes in one line, into the grants that they stand for."""
    benefits = row.metadata if isinstance(row.metadata, list) else []
    for benefit in benefits:
        if benefit.get("type") == "feature_flag" and not benefit.get("is_deleted"):
            label, meta = str(benefit.get("description") or ""), benefit.get("metadata") or {}
            yield replace(row, kind="grant", label=label, metadata=meta, source=None)


def _query() -> Any:
    mine = select(Customer.polar_id).where(Customer.user_id == bindparam("user_id")).subquery()
    bought = (_subscriptions(mine), _grants(mine), _orders(mine))
    return union_all(*bought, _comps("comp"), _comps(IN_COMP))


_HELD = CompiledSelect(_query)


def _subscriptions(mine: Subquery) -> Any:
    return (
        select(
            word("subscription").label("kind"),
            Subscription.polar_id,
            status_at(Subscription, NOW),
            func.coalesce(Product.name, word("Subscription")),
            Product.meta,
            Subscription.amount,
            Subscription.past_due_at,
            Subscription.product_id,
            Subscription.recurring_interval,
            Subscription.recurring_interval_count,
        )
        .join(mine, mine.c.polar_id == Subscription.customer_id)
        .outerjoin(Product, Product.polar_id == Subscription.product_id)
    )


def _grants(mine: Subquery) -> Any:
    return (
        select(
            word("grant"),
            Grant.polar_id,
            word("granted"),
            Benefit.description,
            Benefit.meta,
            literal_column("0", Integer),
            cast(null(), UTCDateTime),
            Grant.subscription_id,
            cast(null(), String),
            cast(null(), Integer),
        )
        .join(mine, mine.c.polar_id == Grant.customer_id)
        .join(Benefit, Benefit.polar_id == Grant.benefit_id)
        .where(Grant.is_granted, Benefit.type == word("feature_flag"))
    )


def _orders(mine: Subquery) -> Any:
    """One-time purchases of a product that names a plan; they last until refunded."""
    return (
        select(
            word("order"),
            Order.polar_id,
            Order.status,
            Product.name,
            Product.meta,
            Order.total_amount,
            cast(null(), UTCDateTime),
            Order.product_id,
            cast(null(), String),
            cast(null(), Integer),
        )
        .join(mine, mine.c.polar_id == Order.customer_id)
        .join(Product, Product.polar_id == Order.product_id)
        .where(
            Order.subscription_id.is_(None),
            Order.billing_reason == word("purchase"),
            is_one_of(Order.status, PAID_ORDER_STATUSES),
        )
    )


def _comps(kind: str) -> Any:
    """What we gave away and is not over: once for its plan, once for the benefits of its product."""
    return (
        select(
            word(kind),
            cast(Comp.id, String),
            word(COMPED),
            func.coalesce(Product.name, Comp.product_name),
            Product.meta if kind == "comp" else Product.benefits,
            Comp.amount,
            Comp.ends_at,
            Comp.product_id,
            Comp.recurring_interval,
            Comp.recurring_interval_count,
        )
        .outerjoin(Product, Product.polar_id == Comp.product_id)
        .where(
            Comp.user_id == bindparam("user_id"),
            *comps.in_force(NOW),
        )
    )
