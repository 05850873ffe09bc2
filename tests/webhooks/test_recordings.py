"""Recorded scenarios of the real Polar, through the real door, and the plan they must leave."""

import random
from collections import Counter
from typing import Any, NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from saas.accounts.models import User
from saas.billing import entitlements
from saas.billing.models import Order, Product, Subscription
from saas.extensions import db
from saas.webhooks.models import Delivery
from tests import recordings
from tests.database import empty_database
from tests.people import make_user
from tests.webhooks.door import deliver

SETUP = "00-setup-products-benefits"
PRO = ("pro_features",)


class Story(NamedTuple):
    """What came before, the scenario itself, and what its customer is left with."""

    before: tuple[str, ...]
    scenario: str
    user: str
    plan: str
    status: str
    features: tuple[str, ...]


STORIES = [
    Story((), "01-free-recurring-checkout-external-id", "user_1", "free", "active", PRO),
    Story((), "02-paid-monthly-checkout", "user_2", "pro", "active", PRO),
    Story(
        ("02-paid-monthly-checkout",),
        "03-cancel-at-period-end-then-uncancel", "user_2", "pro", "active", PRO,
    ),
    Story(("02-paid-monthly-checkout",), "04-renewal-success", "user_2", "pro", "active", PRO),
    Story(
        ("05a-setup-purchase-user3",),
        "05-cancel-at-period-end-then-period-ends", "user_3", "free", "canceled", (),
    ),
    Story(
        ("06a-setup-purchase-user4",), "06-immediate-revoke", "user_4", "free", "canceled", ()
    ),
    Story((), "07a-setup-purchase-user5", "user_5", "pro", "active", PRO),
    Story(
        ("08a-setup-purchase-user6",),
        "08z-renewal-payment-failed-first-attempt-only", "user_6", "free", "past_due", (),
    ),
    Story(
        ("08b-setup-purchase-user6b",),
        "08-renewal-payment-failed-until-dunning-exhausted", "user_6b", "free", "canceled", (),
    ),
    Story(
        ("09a-setup-purchase-user7",),
        "09-plan-change-upgrade-invoice-now", "user_7", "team", "active", PRO,
    ),
    Story(
        ("09a-setup-purchase-user7", "09-plan-change-upgrade-invoice-now"),
        "10-plan-change-downgrade-prorate", "user_7", "pro", "active", PRO,
    ),
    Story(
        (), "13y-patch-free-to-paid-without-payment-method", "user_8", "pro", "active", PRO
    ),
    Story((), "13a-setup-free-subscription", "user_14", "free", "active", PRO),
    Story((), "14-trial-start", "user_9", "trial", "trialing", PRO),
    Story((), "17-one-time-purchase", "user_10", "lifetime", "active", PRO),
    Story(("17-one-time-purchase",), "18-partial-refund", "user_10", "lifetime", "active", PRO),
    Story(("20a-setup",), "20-full-refund-of-subscription-order", "user_11", "pro", "active", PRO),
    Story(
        ("12x-setup",),
        "12-plan-change-next_period-then-pending-cleared", "user_16", "pro", "active", PRO,
    ),
    Story(
        ("12x-setup", "12-plan-change-next_period-then-pending-cleared"),
        "12h-plan-change-month-to-year-third-customer", "user_16", "pro", "active", PRO,
    ),
]  # fmt: skip


def deliveries_of(story: Story) -> list[recordings.Recording]:
    names = [SETUP, *story.before, story.scenario]
    return [recording for name in names for recording in recordings.scenario(name)]


def state_of(user: User) -> dict[str, Any]:
    """Return everything that must come out the same whatever the order of the deliveries."""
    db.session.expire_all()
    entitled = entitlements.for_user(user)
    columns = [column for column in Subscription.__table__.columns if column.name != "observed_at"]
    orders = [column for column in Order.__table__.columns if column.name != "observed_at"]
    return {
        "entitled": (entitled.plan.key, entitled.status, tuple(sorted(entitled.features))),
        "subscriptions": [tuple(row) for row in db.session.execute(select(*columns))],
        "orders": sorted(tuple(map(str, row)) for row in db.session.execute(select(*orders))),
        "products": db.session.execute(
            select(Product.polar_id, Product.name, Product.is_archived).order_by(Product.polar_id)
        ).all(),
    }


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.scenario)
def test_recorded_scenario_leaves_the_right_plan(
    app: Flask, client: FlaskClient, story: Story
) -> None:
    """In order, then shuffled with half of the deliveries doubled: the same plan, row for row."""
    deliveries = deliveries_of(story)
    with app.app_context():
        in_order = replay(client, story, deliveries)
        assert in_order["entitled"] == (story.plan, story.status, story.features)
        for seed in (1, 2):
            empty_database()
            assert replay(client, story, shuffled(deliveries, seed)) == in_order
        assert set(db.session.scalars(select(Delivery.outcome))) <= {"applied", "ignored"}
        kept = db.session.scalar(select(func.count()).select_from(Delivery))
    assert kept == len({recording.headers["webhook-id"] for recording in deliveries})


def shuffled(deliveries: list[recordings.Recording], seed: int) -> list[recordings.Recording]:
    chance = random.Random(seed)
    changed = deliveries + chance.sample(deliveries, len(deliveries) // 2)
    chance.shuffle(changed)
    return changed


def replay(
    client: FlaskClient, story: Story, deliveries: list[recordings.Recording]
) -> dict[str, Any]:
    user = make_user(story.user)
    for recording in deliveries:
        assert deliver(client, recording).status_code == 202
    return state_of(user)


def test_purchase_without_our_id_belongs_to_nobody(app: Flask, client: FlaskClient) -> None:
    """Scenario 27: the customer has the address of a user but no external id. Nobody gets the plan."""
    deliveries = recordings.scenario("27-checkout-external-id-but-known-email-without-external-id")
    addresses = Counter(
        recording.event["data"].get("customer_email") or "" for recording in deliveries
    )
    address = next(address for address, _ in addresses.most_common() if address)
    with app.app_context():
        user = make_user("somebody-else", email=address)
        for recording in recordings.scenario(SETUP) + deliveries:
            assert deliver(client, recording).status_code == 202
        assert entitlements.for_user(user).plan.key == "free"
        assert db.session.scalar(select(func.count()).select_from(Subscription)) == 1
