"""What must come out the same: the plan, the features, the subscriptions, the orders, the grants."""

import random
from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import select

from saas.accounts.models import User
from saas.billing import entitlements
from saas.billing.models import Grant, Order, Subscription
from saas.extensions import db

T = TypeVar("T")
ROWS = (Subscription, Order, Grant)


def outcome(user: User) -> dict[str, Any]:
    """Return all that a user is left with; when it was observed does not count."""
    db.session.expire_all()
    entitled = entitlements.for_user(user)
    rows = {model.__tablename__: _rows(model) for model in ROWS}
    return rows | {
        "plan": (entitled.plan, entitled.status),
        "features": sorted(entitled.features),
        "limits": entitled.limits,
    }


def disturbed(items: Iterable[T], chance: random.Random, *, lose: bool = False) -> list[T]:
    """Return the items shuffled, about half of them twice; with ``lose`` about a third are gone."""
    kept = [item for item in items if not (lose and chance.random() < 1 / 3)]
    doubled = kept + [item for item in kept if chance.random() < 0.5]
    chance.shuffle(doubled)
    return doubled


def _rows(model: Any) -> list[tuple[str, ...]]:
    columns = [c for c in model.__table__.columns if c.name != "observed_at"]
    return sorted(tuple(map(str, row)) for row in db.session.execute(select(*columns)))
