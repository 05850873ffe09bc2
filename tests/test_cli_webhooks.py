"""``flask webhooks …``: what staff can see of the inbox, and do with it."""

from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from saas.billing.models import Subscription
from saas.extensions import db
from saas.kit.datetimes import utcnow
from saas.webhooks import records
from saas.webhooks.models import Delivery
from tests import recordings
from tests.people import make_user
from tests.webhooks.door import deliver, event, send

PURCHASE = recordings.scenario("02-paid-monthly-checkout")


def run(app: Flask, *words: str, code: int = 0) -> str:
    result = app.test_cli_runner().invoke(args=["webhooks", *words])
    assert result.exit_code == code, result.output
    return result.output


def test_list_names_each_with_its_outcome(app: Flask, client: FlaskClient) -> None:
    assert run(app, "list") == "There are none.\n"
    send(client, event("organization.updated", {}))
    send(client, event("subscription.updated", {"id": 7}))
    output = run(app, "list")
    assert "ignored   organization.updated" in output
    assert "failed    subscription.updated  subscription." in output
    assert "organization" not in run(app, "list", "--outcome", "failed")


def test_show_prints_body_headers_and_traceback(app: Flask, client: FlaskClient) -> None:
    send(client, event("subscription.updated", {"id": 7}), webhook_id="the-id")
    with app.app_context():
        [row_id] = db.session.scalars(select(Delivery.id))
    output = run(app, "show", str(row_id))
    assert "the-id" in output
    assert "webhook-signature" in output
    assert '"id": 7' in output
    assert "Traceback" in output
    assert "There is no delivery" in run(app, "show", "999999", code=1)


def test_unknown_customer_is_flagged_until_it_has_an_account(
    app: Flask, client: FlaskClient
) -> None:
    for recording in PURCHASE:
        deliver(client, recording)
    send(client, event("organization.updated", {}))
    output = run(app, "list", "--unknown-customer", "--limit", "50")
    assert "subscription.created" in output
    assert "organization" not in output
    with app.app_context():
        make_user("user_2")
    deliver(client, PURCHASE[-1])
    for line in output.splitlines():
        run(app, "replay", line.split()[0])
    assert run(app, "list", "--unknown-customer") == "There are none.\n"


def test_replay_applies_again_and_says_so(app: Flask, client: FlaskClient) -> None:
    created = PURCHASE[6]
    deliver(client, created)
    with app.app_context():
        [row_id] = db.session.scalars(select(Delivery.id))
        db.session.execute(db.delete(Subscription))
        db.session.commit()
    assert run(app, "replay", str(row_id)) == f"{row_id}: applied\n"
    with app.app_context():
        assert db.session.scalars(select(Subscription)).one().status == "active"
    send(client, event("subscription.updated", {"id": 7}))
    assert "failed" in run(app, "replay", str(row_id + 1), code=1)


def test_prune_keeps_what_polar_may_send_again(app: Flask, client: FlaskClient) -> None:
    for recording in PURCHASE[:3]:
        deliver(client, recording)
    send(client, event("spaceship.landed", {}))
    with app.app_context():
        ages = (89, 91, 200)
        rows = db.session.scalars(select(Delivery.id).order_by(Delivery.id)).all()
        for row_id, age in zip(rows, (*ages, 200), strict=True):
            moment = utcnow() - timedelta(days=age)
            db.session.execute(
                update(Delivery).where(Delivery.id == row_id).values(handled_at=moment)
            )
        db.session.commit()
    assert "Deleted 2 that were handled more than 90 days ago." in run(app, "prune")
    with app.app_context():
        assert len(db.session.scalars(select(Delivery.id)).all()) == 2
        assert records.retention_days(1) == 90
        assert records.retention_days(365) == 365
