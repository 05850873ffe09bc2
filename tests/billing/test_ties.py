"""Two snapshots of the same moment that say different things: one of them wins, whatever came last."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from flask import Flask

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import store, subscriptions
from saas.billing.models import Customer, Grant, Order, Subscription
from saas.extensions import db
from tests.billing.buying import buy, fill_catalogue
from tests.billing.holding_data import NOW, put_order, put_subscription
from tests.browsing import sign_in, soup, submit
from tests.database import empty_database
from tests.people import make_user

ENDED = {"status": "canceled", "ended_at": NOW.isoformat()}
SAID: list[tuple[str, list[dict[str, Any]]]] = [
    ("canceled", [{}, ENDED, {"status": "past_due", "past_due_at": NOW.isoformat()}]),
    ("canceled", [ENDED, {"cancel_at_period_end": True}]),
]


@pytest.mark.parametrize(("expected", "changes"), SAID)
def test_end_of_a_subscription_wins(
    app: Flask, expected: str, changes: list[dict[str, Any]]
) -> None:
    with app.app_context():
        for order in permutations(changes):
            empty_database()
            user = make_user("ada")
            for change in order:
                put_subscription(user, **change)
            assert db.session.scalars(db.select(Subscription.status)).one() == expected


def test_order_goes_on_and_a_grant_stays(app: Flask, ada: User) -> None:
    for statuses in permutations(["pending", "paid", "refunded"]):
        for status in statuses:
            put_order(ada, status=status, grants=status == "paid")
        assert db.session.scalars(db.select(Order.status)).one() == "refunded"
        assert set(db.session.scalars(db.select(Grant.is_granted))) == {True}
        for model in (Order, Grant, Customer):
            db.session.execute(db.delete(model))
        db.session.commit()


def test_within_a_second_the_event_wins_and_the_next_reading_decides(app: Flask, ada: User) -> None:
    """A reading is dated with the whole second before it: nobody knows on which side of the event it was."""
    put_subscription(ada)
    row = db.session.scalars(db.select(Subscription)).one()
    columns = {c.key for c in db.inspect(Subscription).column_attrs} - {"tie"}
    before = {name: getattr(row, name) for name in columns}
    scheduled = before | {"pending_update": {"product_id": "another"}}
    event_at = NOW + timedelta(seconds=0.7)
    for values, read_at, expected in (
        (before, event_at, None),
        (scheduled, NOW, None),
        (scheduled, NOW + timedelta(seconds=1), {"product_id": "another"}),
    ):
        store.keep_newer(Subscription, values | {"observed_at": read_at})
        db.session.commit()
        assert db.session.scalar(db.select(Subscription.pending_update)) == expected


def test_changes_of_one_second_keep_their_order(polar_app: Flask, polar: LocalPolar) -> None:
    """Polar dates its answers in seconds, and a scheduled change does not touch ``modified_at``."""
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    with polar_app.app_context():
        polar_id = db.session.scalars(db.select(Subscription.polar_id)).one()
        moments = []
        for name in ("Team Monthly", "Pro Yearly", "Team Monthly"):
            subscriptions.change(polar_id, product_id=ids[name], proration_behavior="next_period")
            moments.append(db.session.scalars(db.select(Subscription.observed_at)).one())
            db.session.rollback()
    assert sorted(set(moments)) == moments
    submit(client, "/settings/billing/keep")
    page = soup(client.get("/settings/billing"))
    assert (
        page.select_one('[data-testid="plan-status"]')
        .get_text(strip=True)
        .startswith("Active. Renews")
    )  # type: ignore[union-attr]
