"""Histories that the model makes up: any order and any repetition, row for row the same."""

import json
import random
import uuid
from typing import Any

from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from saas.billing import gateway, reconcile, sync
from saas.extensions import db, start_write
from saas.kit.datetimes import parse_datetime
from tests.database import empty_database
from tests.people import make_user
from tests.property.books import USER
from tests.property.life import HAPPENINGS, Life, told
from tests.property.outcome import disturbed, outcome
from tests.property.profile import examples
from tests.webhooks.door import send

STEPS = st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, 5)), min_size=3, max_size=12)


@given(steps=STEPS, seed=st.integers(0, 2**16))
@examples(5)
def test_order_and_repetition_change_nothing(
    shared_app: Flask, steps: list[tuple[str, int]], seed: int
) -> None:
    chance = random.Random(seed)
    events = with_ties(told([("subscribe", 1), *steps]).events, chance)
    with shared_app.app_context():
        in_order = _deliver(shared_app, events)
        assert _deliver(shared_app, disturbed(events, chance)) == in_order
        assert _deliver(shared_app, list(reversed(events))) == in_order


@given(steps=STEPS, seed=st.integers(0, 2**16))
@examples(3)
def test_what_was_lost_is_healed_by_reading_the_objects(
    shared_app: Flask, steps: list[tuple[str, int]], seed: int
) -> None:
    life = told([("subscribe", 1), *steps])
    chance = random.Random(seed)
    first = life.events[:5]  # Our customer is written down before the first checkout, always.
    with shared_app.app_context():
        in_order = _deliver(shared_app, life.events)
        some = [*first, *disturbed(life.events[5:], chance, lose=True)]
        _deliver(shared_app, some, then=life)
        assert outcome(_user()) == in_order
        # What was lost may still come, even now; and nothing goes back.
        for event in disturbed(life.events, chance):
            _send(shared_app, event)
        assert outcome(_user()) == in_order


TWINS: dict[str, list[dict[str, Any]]] = {
    "customer": [{"name": "Twin"}, {"email": "twin@example.com"}],
    "product": [{"name": "Twin"}, {"is_archived": True}],
    "subscription": [
        {"cancel_at_period_end": True}, {"status": "past_due"}, {"status": "active"},
        {"status": "canceled", "ended_at": "2026-06-01T12:00:00Z"}, {"amount": 7},
    ],
    "order": [{"status": "pending"}, {"status": "paid"}, {"status": "refunded"}],
    "benefit_grant": [
        {"is_granted": True, "is_revoked": False}, {"is_granted": False, "is_revoked": True},
    ],
}  # fmt: skip


def with_ties(events: list[Any], chance: random.Random) -> list[Any]:
    """Add events that say something else of the same object, at the same moment and ``modified_at``."""
    told_twice = []
    for event in events:
        told_twice.append(event)
        while chance.random() < 0.3:
            twin = chance.choice(TWINS[event["type"].partition(".")[0]])
            told_twice.append(event | {"data": event["data"] | twin})
    return told_twice


def _deliver(app: Flask, events: list[Any], then: Life | None = None) -> dict[str, Any]:
    empty_database()
    make_user(USER)
    for event in events:
        _send(app, event)
    if then is not None:
        _read(then)
    return outcome(_user())


def _send(app: Flask, event: Any) -> None:
    words = json.dumps(event, sort_keys=True)
    key = str(uuid.uuid5(uuid.NAMESPACE_OID, words))  # The same each time it is sent.
    assert send(app.test_client(), event, webhook_id=key).status_code == 202


def _read(life: Life) -> None:
    """Put down the objects as the API would show them now."""
    seen_at = parse_datetime(life.events[-1]["timestamp"])
    assert seen_at is not None
    customer = {"customer": dict(life.customer)}
    start_write()
    for put, objects in (
        (sync.put_product, [dict(product) for product in life.products.values()]),
        (sync.put_customer, [life.customer]),
        (sync.put_subscription, [each | customer for each in life.subscriptions]),
        (sync.put_order, [each | customer for each in life.orders]),
        (sync.put_grant, [each | customer for each in life.grants]),
    ):
        reconcile.keep_all(put, [gateway.Answer(each, seen_at) for each in objects])
    db.session.commit()


def _user() -> Any:
    from saas.accounts.models import User

    return db.session.scalars(db.select(User)).one()
