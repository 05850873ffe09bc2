"""What a worker left behind is finished by another one, without a delivery or a command."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from saas.extensions import db
from saas.kit.datetimes import utcnow
from saas.webhooks import inbox, sweeper
from saas.webhooks.models import Delivery
from tests.webhooks.test_inbox import left_behind


def test_everything_that_is_due_is_swept(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeper, "BATCH", 2)
    with app.app_context():
        for minutes in (2, 3, 4, 5, 6):
            left_behind("received", minutes_ago=minutes)
    assert sweeper.sweep(app) == 5
    assert sweeper.sweep(app) == 0
    with app.app_context():
        assert set(db.session.scalars(select(Delivery.outcome))) == {"applied"}


def test_a_database_that_is_away_ends_nothing(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(limit: int) -> list[str]:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(inbox, "retry_due", away)
    assert sweeper.sweep(app) == 0
    assert "tried again in a moment" in caplog.text


def test_replay_that_dies_half_way_is_swept_up(app: Flask) -> None:
    with app.app_context():
        left_behind("received", minutes_ago=5)
        moment = utcnow() - timedelta(minutes=5)
        db.session.execute(update(Delivery).values(handled_at=None, received_at=moment))
        db.session.commit()
    assert sweeper.sweep(app) == 1
