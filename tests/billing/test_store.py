"""Whose a customer is, whatever comes first: the account, the event with its id, or the end of that id."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as listening
from sqlalchemy import update

from saas.accounts.models import User
from saas.billing import entitlements, store, sync
from saas.billing.models import Customer
from saas.extensions import db, start_write
from saas.kit.datetimes import utcnow
from tests import recordings
from tests.people import make_user
from tests.webhooks.door import deliver, event, send

GONE = "2026-12-31T00:00:00Z"  # After everything in the recordings.
BOUGHT: dict[str, Any] = {
    "id": "7d0c4c9e-0000-4000-8000-000000000001",
    "created_at": "2026-11-01T00:00:00Z",
    "modified_at": None,
    "external_id": "ada",
    "email": "ada@example.com",
    "name": "Ada",
    "deleted_at": None,
}
DELETED = BOUGHT | {"external_id": None, "modified_at": GONE, "deleted_at": GONE}


def owner() -> int | None:
    return db.session.scalars(db.select(Customer.user_id)).one()


def test_account_after_the_last_event_with_its_id(app: Flask) -> None:
    client = app.test_client()
    for recording in recordings.scenario("02-paid-monthly-checkout"):
        deliver(client, recording)
    with app.app_context():
        assert entitlements.for_user(make_user("user_2")).plan.key == "pro"


@pytest.mark.parametrize("events", [(BOUGHT, DELETED), (DELETED, BOUGHT)], ids=["order", "reverse"])
def test_account_after_polar_has_forgotten_its_id(
    app: Flask, events: tuple[dict[str, Any], ...]
) -> None:
    client = app.test_client()
    for data in events:
        send(client, event("customer.updated", data))
    with app.app_context():
        assert db.session.scalars(db.select(Customer.external_id)).one() is None
        make_user("eve")
        assert owner() is None
        ada = make_user("ada")
        assert owner() == ada.id


def test_account_whose_customer_came_in_the_same_moment(app: Flask) -> None:
    """Neither of two transactions sees the other; the next look puts it right."""
    with app.app_context():
        user = make_user("ada")
        sync.put_customer(BOUGHT, utcnow())
        db.session.execute(update(Customer).values(user_id=None, awaits="ada"))
        store.link_awaited(user)
        db.session.commit()
        assert owner() == user.id
        assert db.session.scalars(db.select(Customer.awaits)).one() is None


@pytest.mark.parametrize("other", ["eve", "nobody"])
def test_an_id_says_more_than_an_address(app: Flask, other: str) -> None:
    """It was linked by a proven address while it had no id; then somebody else's is put on it."""
    client = app.test_client()
    with app.app_context():
        ada, eve = make_user("ada"), make_user("eve")
        sync.put_customer(BOUGHT | {"external_id": None}, utcnow())
        start_write()
        db.session.execute(update(Customer).values(user_id=ada.id))
        db.session.commit()
        send(client, event("customer.updated", BOUGHT | {"external_id": other}))
        assert owner() == (eve.id if other == "eve" else None)
        send(client, event("customer.deleted", DELETED))
        assert owner() == (eve.id if other == "eve" else None)


def test_listens_once_however_many_applications_there_are(make_app: Callable[..., Flask]) -> None:
    make_app()
    make_app()
    assert listening.contains(User, "after_insert", store.on_user_made)
    assert len(list(db.inspect(User).dispatch.after_insert)) == 1
