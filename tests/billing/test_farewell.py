"""What stays of somebody who has left: the books, without a person in them."""

from flask import Flask

from polar_emulator.testing import LocalPolar
from saas.billing.models import Customer, Order
from saas.extensions import db
from tests.billing.buying import buy, fill_catalogue
from tests.browsing import PASSWORD, sign_in, submit
from tests.webhooks.door import event, send

GONE = "2026-11-20T17:00:00Z"


def left(app: Flask) -> tuple[str, str | None, str | None, bool, list[str]]:
    with app.app_context():
        customer = db.session.scalars(db.select(Customer)).one()
        orders = list(db.session.scalars(db.select(Order.status)))
        is_deleted = customer.deleted_at is not None
        return customer.email, customer.name, customer.external_id, is_deleted, orders


def test_orders_stay_without_a_person(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    submit(client, "/settings/account/delete", password=PASSWORD)
    assert left(polar_app) == ("", None, None, True, ["paid"])
    deletions = [call for call in polar.requests() if call["method"] == "DELETE"]
    assert any("/v1/customers/" in call["path"] for call in deletions)
    polar.wait_idle()
    assert left(polar_app) == ("", None, None, True, ["paid"])


def test_deletion_at_polar_takes_the_person_out_of_the_copy(app: Flask) -> None:
    client = app.test_client()
    customer = {
        "id": "7d0c4c9e-0000-4000-8000-000000000001",
        "created_at": "2026-11-01T00:00:00Z",
        "modified_at": None,
        "external_id": "somebody",
        "email": "ada@example.com",
        "name": "Ada",
        "deleted_at": None,
    }
    send(client, event("customer.created", customer))
    assert left(app)[:2] == ("ada@example.com", "Ada")
    gone = customer | {"external_id": None, "modified_at": GONE, "deleted_at": GONE}
    send(client, event("customer.deleted", gone))
    send(client, event("customer.updated", customer | {"modified_at": "2026-11-19T00:00:00Z"}))
    send(client, event("customer.state_changed", gone))
    assert left(app) == ("", None, None, True, [])
