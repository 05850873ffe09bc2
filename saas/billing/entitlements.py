"""Who may use what, now. Derived on every request from the copied objects; nothing is stored to go stale.

The plan comes from product metadata ``plan`` (else the product's name), features and limits from the
metadata of granted ``feature_flag`` benefits. What somebody without any purchase gets is ``FREE``.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import g

from saas.accounts.models import User
from saas.accounts.sessions import signed_in_user
from saas.billing import holdings
from saas.billing.holdings import Holding, Plan
from saas.billing.markings import feature_name
from saas.billing.markings import limits as limits_of


@dataclass(frozen=True)
class Entitlements:
    """The plan, the features and the limits of one user at one moment.

    ``plan_keys`` and ``product_ids`` name everything in force, also beside the plan that is shown;
    ``comped_ids`` are those products that were given and not bought.
    ``past_due_at`` is when a payment failed that is still owed, whether or not the plan is kept meanwhile,
    ``past_due_name`` for what, and ``past_due_id`` in which subscription.
    """

    plan: Plan
    status: str = "free"
    features: frozenset[str] = frozenset()
    limits: dict[str, int] = field(default_factory=dict)
    plan_keys: frozenset[str] = frozenset()
    product_ids: frozenset[str] = frozenset()
    comped_ids: frozenset[str] = frozenset()
    past_due_at: datetime | None = None
    past_due_name: str = ""
    past_due_id: str = ""

    def can(self, feature: str) -> bool:
        """True when the feature may be used."""
        return feature in self.features

    def limit(self, name: str) -> int:
        """Return how many of something the plan includes; 0 when it includes none."""
        return self.limits.get(name, 0)

    def includes(self, other: "Entitlements") -> bool:
        """True when nothing that the other one gives is missing."""
        enough = all(self.limit(name) >= value for name, value in other.limits.items())
        return enough and other.features <= self.features

    def has_plan(self, *wanted: str) -> bool:
        """True with one of these plans or products in force; without names, with any but the free one."""
        if wanted:
            return not (self.plan_keys | self.product_ids).isdisjoint(wanted)
        return bool(self.plan_keys - {FREE.plan.key})


# What somebody without any purchase gets. Benefits of Polar come on top.
FREE = Entitlements(plan=Plan("free", "Free"), limits={"projects": 3})

STATUS_RANK = ("active", "trialing", "past_due", "paused", "incomplete", "unpaid")


def current_entitlements() -> Entitlements:
    """Return the entitlements of whoever makes this request; one query at most for each request."""
    user = signed_in_user()
    if user is None:
        return FREE
    found: Entitlements | None = g.get("entitlements")
    if found is None:
        found = g.entitlements = for_user(user)
    return found


def forget_current() -> None:
    """Read again the next time: something changed within this request."""
    g.pop("entitlements", None)


def can(feature: str) -> bool:
    """True when the present user may use the feature. Also a function in templates."""
    return current_entitlements().can(feature)


def limit(name: str) -> int:
    """Return how many of something the present user's plan includes. Also a function in templates."""
    return current_entitlements().limit(name)


def for_user(user: User) -> Entitlements:
    """Return the entitlements of a user with one query."""
    return of_holdings(holdings.of(user))


def of_holdings(rows: list[Holding]) -> Entitlements:
    """Return what somebody with these holdings may use."""
    subscriptions = [row for row in rows if row.kind == "subscription"]
    ended = {row.id for row in subscriptions if not row.is_in_force}
    carriers = [row for row in rows if row.names_a_plan and row.is_in_force]
    grants = [row for row in rows if row.kind == "grant" and row.source not in ended]
    best = max(carriers, key=_weight, default=None)
    owed = sorted(
        (row.at, row.label, row.id) for row in subscriptions if row.status == "past_due" and row.at
    )
    bought, comped = _products(rows, "subscription", "order"), _products(rows, "comp")
    return Entitlements(
        plan=best.plan if best else FREE.plan,
        status=_status(best, subscriptions),
        features=FREE.features | {feature_name(row.label, row.meta) for row in grants},
        limits=_highest([FREE.limits, *(limits_of(row.label, row.meta) for row in grants)]),
        plan_keys=frozenset(row.plan.key for row in carriers),
        product_ids=bought | comped,
        comped_ids=comped - bought,
        past_due_at=owed[0][0] if owed else None,
        past_due_name=owed[0][1] if owed else "",
        past_due_id=owed[0][2] if owed else "",
    )


def of_benefits(benefits: list[dict[str, Any]]) -> Entitlements:
    """Return what the benefits of a product give by themselves, as Polar shows them."""
    flags = [
        (str(benefit.get("description") or ""), benefit.get("metadata") or {})
        for benefit in benefits
        if benefit.get("type") == "feature_flag"
    ]
    return Entitlements(
        plan=FREE.plan,
        features=frozenset(feature_name(label, meta) for label, meta in flags),
        limits=_highest([limits_of(label, meta) for label, meta in flags]),
    )


def _products(rows: list[Holding], *kinds: str) -> frozenset[str]:
    return frozenset(
        row.source for row in rows if row.kind in kinds and row.is_in_force and row.source
    )


def _weight(row: Holding) -> tuple[bool, bool, float, bool, str]:
    """Order what is in force: anything beats the free plan, and what runs in periods beats a one-time
    purchase; then the higher price of a month, then what is paid for, then a fixed order."""
    is_subscription = row.kind == "subscription"
    is_running = is_subscription or (row.kind == "comp" and row.interval is not None)
    not_free = row.plan.key != FREE.plan.key
    return (not_free, is_running, row.monthly_amount, is_subscription, row.id)


def _status(best: Holding | None, subscriptions: list[Holding]) -> str:
    if best is not None:
        return "active" if best.kind == "order" else best.status
    found = {row.status for row in subscriptions}
    for status in STATUS_RANK:
        if status in found:
            return status
    return "canceled" if found else FREE.status


def _highest(found: list[dict[str, int]]) -> dict[str, int]:
    limits: dict[str, int] = {}
    for each in found:
        for name, value in each.items():
            limits[name] = max(limits.get(name, 0), value)
    return limits
