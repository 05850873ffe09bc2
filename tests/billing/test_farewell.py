"""What stays of somebody who has left: the books, without a person in them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from polar_emulator.testing import LocalPolar
from saas.billing import gateway
from saas.billing.models import Customer, Order, Subscription
from saas.extensions import db
from tests.billing.buying import NOBODYS, buy, fill_catalogue
from tests.billing.link_purchases import buy_by_link
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


def test_what_has_ended_is_said_when_polar_fails_half_way(
    polar_app: Flask, polar: LocalPolar, make_app: Callable[..., Flask]
) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    settings = polar_app.extensions["settings"]
    scopes = "customers:read,subscriptions:read,subscriptions:write"
    clumsy = make_app(
        polar_api_url=settings.polar_api_url, polar_access_token=f"polar_oat_scoped_{scopes}"
    ).test_client()
    submit(clumsy, "/login", email="ada@example.com", password=PASSWORD)
    page = submit(clumsy, "/settings/account/delete", password=PASSWORD).text
    assert "Your account was not deleted. Your subscription has ended already" in page
    with polar_app.app_context():
        assert db.session.scalars(db.select(Subscription.status)).all() == ["canceled"]
    assert client.get("/settings/account").status_code == 200
    submit(client, "/settings/account/delete", password=PASSWORD)
    assert left(polar_app)[3]


def running_at_polar(app: Flask, customer_id: str) -> list[str]:
    with app.app_context():
        found = gateway.customer_subscriptions(customer_id)
        return [each.data["id"] for each in found if each.data["ended_at"] is None]


def test_what_was_bought_by_link_ends_too(polar_app: Flask, polar: LocalPolar) -> None:
    """Whether we have heard of it or not: it would go on charging somebody who is gone."""
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    customer_id = buy_by_link(polar_app, polar, ids["Pro Monthly"], "ada@example.com")
    assert running_at_polar(polar_app, customer_id)
    assert submit(client, "/settings/account/delete", password=PASSWORD).status_code == 303
    assert running_at_polar(polar_app, customer_id) == []
    assert left(polar_app)[:4] == ("", None, None, True)


def test_both_customers_of_one_account_end(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    bought = buy_by_link(polar_app, polar, ids["Pro Monthly"], "ada@example.com")
    with polar_app.app_context():
        own = str(gateway.create_customer(public_id, "other@example.com").data["id"])
    assert submit(client, "/settings/account/delete", password=PASSWORD).status_code == 303
    assert running_at_polar(polar_app, bought) == []
    with polar_app.app_context():
        assert all(db.session.scalars(db.select(Customer.deleted_at)))
        for customer_id in (own, bought):
            with pytest.raises(gateway.PolarNotFound):
                gateway.customer(customer_id)


def test_an_account_stays_when_what_waits_for_it_cannot_be_ended(
    polar_app: Flask, polar: LocalPolar
) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    customer_id = buy_by_link(polar_app, polar, ids["Pro Monthly"], "ada@example.com")
    polar.faults(api="500")
    page = submit(client, "/settings/account/delete", password=PASSWORD).text
    assert "Your account was not deleted." in page
    polar.faults(api=None)
    assert running_at_polar(polar_app, customer_id)
    assert client.get("/settings/account").status_code == 200


def test_one_that_is_gone_holds_up_no_other(
    polar_app: Flask, polar: LocalPolar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Polar lists a subscription and does not know it a moment later; the rest must end all the same."""
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    with polar_app.app_context():
        customer = gateway.customer_by_external_id(public_id)
        assert customer is not None
        customer_id = str(customer.data["id"])
    real = gateway.customer_subscriptions

    def with_a_ghost(polar_id: str) -> Iterator[Any]:
        for answer in real(polar_id):
            yield replace(answer, data=answer.data | {"id": NOBODYS})
            yield answer

    monkeypatch.setattr(gateway, "customer_subscriptions", with_a_ghost)
    assert submit(client, "/settings/account/delete", password=PASSWORD).status_code == 303
    monkeypatch.undo()
    assert running_at_polar(polar_app, customer_id) == []
    assert left(polar_app)[3]
