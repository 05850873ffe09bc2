"""What failed is kept with its error and tried again; what a dead process left behind is finished."""

import json
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from saas.billing.models import Subscription
from saas.extensions import db
from saas.kit.datetimes import utcnow
from saas.webhooks import inbox
from saas.webhooks.models import Delivery
from tests import recordings
from tests.webhooks.door import event, send

CREATED = recordings.scenario("02-paid-monthly-checkout")[6]


def left_behind(outcome: str, minutes_ago: int, body: str = CREATED.body) -> None:
    """Add a row as a process leaves it that failed, or died, so many minutes ago."""
    moment = utcnow() - timedelta(minutes=minutes_ago)
    db.session.add(
        Delivery(
            webhook_id=f"left-{outcome}-{minutes_ago}",
            type="subscription.created",
            body=body.encode(),
            headers={},
            received_at=moment,
            outcome=outcome,
            attempts=1 if outcome == "failed" else 0,
            error="it broke" if outcome == "failed" else None,
            next_attempt_at=moment + timedelta(minutes=1) if outcome == "failed" else None,
        )
    )
    db.session.commit()


def outcomes() -> list[str]:
    return list(db.session.scalars(select(Delivery.outcome).order_by(Delivery.id)))


def test_next_delivery_takes_along_what_is_due(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        left_behind("failed", minutes_ago=5)
    assert send(client, event("organization.updated", {})).status_code == 202
    with app.app_context():
        assert outcomes() == ["applied", "ignored"]
        assert db.session.scalar(select(Subscription.status)) == "active"
        assert db.session.scalar(select(Delivery.error).where(Delivery.id == 1)) is None


def test_what_a_dead_process_received_is_applied_by_command(app: Flask) -> None:
    with app.app_context():
        left_behind("received", minutes_ago=2)
        left_behind("received", minutes_ago=0)  # Somebody may be at it right now.
    result = app.test_cli_runner().invoke(args=["webhooks", "retry"])
    assert result.exit_code == 0
    assert "1 applied, 0 failed again." in result.output
    with app.app_context():
        assert outcomes() == ["applied", "received"]


@pytest.mark.parametrize("hours", [3, None], ids=["waiting", "given up"])
def test_command_applies_what_is_not_due_as_well(app: Flask, hours: int | None) -> None:
    with app.app_context():
        for minutes in range(10):
            left_behind("failed", minutes_ago=minutes)
        changes = {
            "attempts": 5 if hours else inbox.MAX_ATTEMPTS,
            "next_attempt_at": utcnow() + timedelta(hours=hours) if hours else None,
        }
        db.session.execute(update(Delivery).values(changes))
        db.session.commit()
        assert inbox.retry_due() == []
    words = ["webhooks", "retry", "--limit", "3"]
    assert "3 applied" in app.test_cli_runner().invoke(args=words).output
    result = app.test_cli_runner().invoke(args=words[:2])
    assert (result.exit_code, result.output) == (0, "7 applied, 0 failed again.\n")
    with app.app_context():
        assert outcomes() == ["applied"] * 10


def test_repeated_failure_waits_longer_each_time_and_keeps_the_evidence(app: Flask) -> None:
    broken = json.dumps(event("subscription.created", {"id": "x"}))
    with app.app_context():
        left_behind("failed", minutes_ago=5, body=broken)
        waits = []
        for _ in range(inbox.MAX_ATTEMPTS - 1):
            row = db.session.scalars(select(Delivery)).one()
            row.next_attempt_at = utcnow() - timedelta(seconds=1)
            db.session.commit()
            assert inbox.retry_due() == ["failed"]
            row = db.session.scalars(select(Delivery)).one()
            if row.next_attempt_at is not None:
                waits.append(round((row.next_attempt_at - utcnow()).total_seconds() / 60))
        assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 360, 360]
        assert (row.outcome, row.attempts) == ("failed", inbox.MAX_ATTEMPTS)
        assert row.next_attempt_at is None
        assert "subscription." in (row.error or "")
        assert inbox.retry_due() == []


def test_command_says_when_something_fails_again(app: Flask) -> None:
    with app.app_context():
        left_behind("failed", minutes_ago=5, body='{"type": "order.paid"}')
    result = app.test_cli_runner().invoke(args=["webhooks", "retry"])
    assert result.exit_code == 1
    assert "0 applied, 1 failed again." in result.output


def test_polar_sending_again_is_a_chance_for_what_failed(app: Flask, client: FlaskClient) -> None:
    from tests.webhooks.door import URL, signed

    body = CREATED.body.encode()
    with app.app_context():
        left_behind("failed", minutes_ago=0)
    headers = signed(body, webhook_id="left-failed-0")
    assert client.post(URL, data=body, headers=headers).status_code == 202
    with app.app_context():
        assert outcomes() == ["applied"]
