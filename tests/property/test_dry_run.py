"""A dry run says what the run would do: whatever happened at Polar and whatever got lost on the way."""

import random
from typing import Any

from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import reconcile, survey, vanished
from saas.billing.differences import Difference
from saas.billing.models import Benefit, Customer, Grant, Order, Product, Subscription
from saas.billing.rehearsal import Rehearsal
from saas.extensions import db
from tests.database import empty_database
from tests.people import make_user
from tests.property.outcome import disturbed
from tests.property.profile import examples
from tests.property.test_local_polar import (
    STEPS,
    USER,
    Letterbox,
    _begin,
    _deliver,
    _live,
    letterbox,
)

__all__ = ["letterbox"]


@given(steps=STEPS, seed=st.integers(0, 2**16), knows_nothing=st.booleans())
@examples(8)
def test_dry_run_reports_what_the_run_reports(
    polar_shared_app: Flask,
    polar_emulator_process: LocalPolar,
    letterbox: Letterbox,
    steps: list[tuple[str, int]],
    seed: int,
    knows_nothing: bool,
) -> None:
    polar_emulator_process.reset()
    with polar_shared_app.app_context():
        _begin(polar_shared_app)
        deliveries = _live(
            [("buy", 1), *steps], polar_shared_app, polar_emulator_process, letterbox
        )
        if knows_nothing:
            empty_database()
            make_user(USER)
        else:
            chance = random.Random(seed)
            _deliver(polar_shared_app.test_client(), disturbed(deliveries, chance, lose=True))
        # Polar dates answers in whole seconds: within that of an event nobody knows which is newer.
        polar_emulator_process.advance(2)
        polar_emulator_process.wait_idle()
        before = _rows()
        one_rehearsed = _compare_one(Rehearsal())
        rehearsed = _compare(dry_run=True)
        assert _rows() == before
        assert rehearsed == _compare(dry_run=False)
        assert _compare(dry_run=True) == []
        _put_back(before)
        assert one_rehearsed == _compare_one(None)


def _compare(*, dry_run: bool) -> list[Any]:
    return _facts(survey.run(survey.prepare(dry_run=dry_run)))


def _compare_one(rehearsal: Rehearsal | None) -> list[Any]:
    def user() -> User:
        return db.session.scalars(select(User)).one()

    reading = reconcile.read_user(user())
    found = reconcile.keep(reading, rehearsal)
    return _facts(found + vanished.settle_user(user(), reading, rehearsal))


def _facts(found: list[Difference]) -> list[Any]:
    """Without the values: what ends is dated with the moment of each run."""
    return sorted((d.kind, d.polar_id, sorted(d.changes), d.is_new, d.problem) for d in found)


def _rows() -> dict[Any, list[dict[str, Any]]]:
    db.session.rollback()
    models = (Customer, Product, Benefit, Subscription, Order, Grant)
    return {
        model: [dict(row._mapping) for row in db.session.execute(select(model.__table__))]
        for model in models
    }


def _put_back(before: dict[Any, list[dict[str, Any]]]) -> None:
    for model, rows in before.items():
        db.session.execute(db.delete(model))
        if rows:
            db.session.execute(model.__table__.insert(), rows)
    db.session.commit()
