"""Whose customer is whose: the traps that Polar was recorded to set, and that two people never merge."""

from typing import Any

import pytest
from flask import Flask
from flask_login import login_user

from polar_emulator.testing import LocalPolar
from saas.accounts import signals
from saas.accounts.models import User
from saas.billing import claims, customers, entitlements, gateway, sync
from saas.billing.models import Customer
from saas.extensions import db
from saas.kit.datetimes import utcnow
from tests import recordings
from tests.billing.buying import buy, choose, fill_catalogue
from tests.browsing import sign_in
from tests.people import make_user
from tests.webhooks.door import deliver, event, send

LATER = "2026-12-31T00:00:00Z"  # After everything in the recordings.


def sdk(polar: LocalPolar) -> Any:
    from polar.v2026_10 import Polar

    return Polar(polar.token, base_url=polar.url)


def test_earlier_customer_without_an_id_is_adopted(polar_app: Flask, polar: LocalPolar) -> None:
    """Bought through a checkout link before signing up; the address is proven, so it is theirs."""
    ids = fill_catalogue(polar_app)
    early = sdk(polar).customers.create(email="Ada@Example.com")
    client, public_id = sign_in(polar_app)
    assert choose(client, ids["Pro Monthly"]).status_code == 303
    assert sdk(polar).customers.get(early.id).external_id == public_id


def test_customer_with_another_id_is_never_taken_over(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    other = sdk(polar).customers.create(email="ada@example.com", external_id="somebody-else")
    client, _ = sign_in(polar_app)
    response = choose(client, ids["Pro Monthly"])
    assert response.status_code == 409
    assert "belongs to another customer" in response.text
    assert sdk(polar).customers.get(other.id).external_id == "somebody-else"


def test_an_address_that_somebody_else_took_at_polar_goes_back(
    polar_app: Flask, polar: LocalPolar
) -> None:
    """Otherwise anybody could keep another person from paying. Both stay who they are."""
    ids = fill_catalogue(polar_app)
    eve, _ = sign_in(polar_app, "eve@example.com")
    buy(eve, polar, ids["Pro Monthly"])
    (hers,) = sdk(polar).customers.list(email="eve@example.com").items
    sdk(polar).customers.update(hers.id, email="ada@example.com")
    polar.wait_idle()
    client, public_id = sign_in(polar_app, "ada@example.com")
    buy(client, polar, ids["Team Monthly"])
    polar.wait_idle()
    assert sdk(polar).customers.get(hers.id).email == "eve@example.com"
    assert sdk(polar).customers.get_external(public_id).email == "ada@example.com"
    with polar_app.app_context():
        plans = {
            user.email: entitlements.for_user(user).plan.key
            for user in db.session.scalars(db.select(User))
        }
    assert plans == {"eve@example.com": "pro", "ada@example.com": "team"}


def test_an_unproven_address_takes_nothing_back(polar_app: Flask, polar: LocalPolar) -> None:
    with polar_app.app_context():
        customers.ensure(make_user(email="eve@example.com"))
        (hers,) = sdk(polar).customers.list(email="eve@example.com").items
        sdk(polar).customers.update(hers.id, email="ada@example.com")
        with pytest.raises(customers.AddressTaken):
            customers.ensure(make_user(email="ada@example.com", confirmed=False))
    assert sdk(polar).customers.get(hers.id).email == "ada@example.com"


def test_an_address_whose_own_is_taken_as_well_stays(polar_app: Flask, polar: LocalPolar) -> None:
    with polar_app.app_context():
        customers.ensure(make_user(email="eve@example.com"))
        (hers,) = sdk(polar).customers.list(email="eve@example.com").items
        sdk(polar).customers.update(hers.id, email="ada@example.com")
        sdk(polar).customers.create(email="eve@example.com")
        with pytest.raises(customers.AddressTaken):
            customers.ensure(make_user(email="ada@example.com"))


def test_unproven_address_adopts_nobody(polar_app: Flask, polar: LocalPolar) -> None:
    early = sdk(polar).customers.create(email="eve@example.com")
    with polar_app.app_context():
        user = make_user(email="eve@example.com", confirmed=False)
        try:
            customers.ensure(user)
        except customers.AddressTaken:
            pass
        else:
            raise AssertionError("an unproven address was enough")
    assert sdk(polar).customers.get(early.id).external_id is None


def test_new_customer_at_polar_after_the_old_one_was_deleted(
    polar_app: Flask, polar: LocalPolar
) -> None:
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    sdk(polar).customers.delete_external(public_id)
    polar.wait_idle()
    assert choose(client, ids["Pro Monthly"]).status_code == 303
    with polar_app.app_context():
        rows = db.session.scalars(db.select(Customer)).all()
        assert len(rows) == 2
        assert {row.user_id for row in rows} == {db.session.scalars(db.select(User.id)).one()}


def test_confirming_the_address_brings_what_was_bought_before(
    polar_app: Flask, polar: LocalPolar
) -> None:
    ids = fill_catalogue(polar_app)
    early = sdk(polar).customers.create(email="ada@example.com")
    checkout = sdk(polar).checkouts.create(products=[ids["Pro Monthly"]], customer_id=early.id)
    assert polar.complete_checkout(checkout.client_secret).status_code == 200
    polar.wait_idle()
    with polar_app.app_context():
        data = {
            "id": early.id,
            "created_at": early.created_at.isoformat()
            if hasattr(early.created_at, "isoformat")
            else early.created_at,
            "email": "ada@example.com",
        }
        sync.put_customer(data, utcnow())
        db.session.commit()
        user = make_user(email="ada@example.com")
        assert entitlements.for_user(user).plan.key == "free"
        signals.email_confirmed.send(user)
        assert entitlements.for_user(user).plan.key == "pro"


@pytest.fixture
def early(polar_app: Flask, polar: LocalPolar) -> Any:
    """Somebody bought Pro through a checkout link, and we heard of it: a customer without our id."""
    ids = fill_catalogue(polar_app)
    customer = sdk(polar).customers.create(email="Ada@Example.com")
    checkout = sdk(polar).checkouts.create(products=[ids["Pro Monthly"]], customer_id=customer.id)
    assert polar.complete_checkout(checkout.client_secret).status_code == 200
    polar.wait_idle()
    with polar_app.app_context():
        sync.put_customer(gateway.customer(customer.id).data, utcnow())
        db.session.commit()
    return customer


def plan_of_ada() -> str:
    user = db.session.scalars(db.select(User)).one()
    return entitlements.for_user(user).plan.key


def test_polar_down_at_confirmation_is_made_up_for_at_sign_in(
    polar_app: Flask, polar: LocalPolar, early: Any
) -> None:
    with polar_app.app_context():
        polar.faults(api="500")
        signals.email_confirmed.send(make_user(email="ada@example.com"))
        assert plan_of_ada() == "free"
        db.session.execute(db.delete(User))
        db.session.commit()
    sign_in(polar_app)  # Still down: signing in works all the same.
    with polar_app.app_context():
        assert plan_of_ada() == "free"
        polar.faults(api=None)
        with polar_app.test_request_context():
            login_user(db.session.scalars(db.select(User)).one())
        assert plan_of_ada() == "pro"


def test_polar_down_at_confirmation_is_made_up_for_by_sync(
    polar_app: Flask, polar: LocalPolar, early: Any
) -> None:
    with polar_app.app_context():
        make_user(email="ada@example.com")
    result = polar_app.test_cli_runner().invoke(args=["billing", "sync"])
    assert result.exit_code == 0, result.output
    with polar_app.app_context():
        assert plan_of_ada() == "pro"


@pytest.mark.parametrize("words", [["billing", "sync"], ["billing", "sync", "ada@example.com"]])
def test_unproven_address_gets_nothing_from_sync(
    polar_app: Flask, polar: LocalPolar, early: Any, words: list[str]
) -> None:
    with polar_app.app_context():
        make_user(email="ada@example.com", confirmed=False)
    assert polar_app.test_cli_runner().invoke(args=words).exit_code == 0
    with polar_app.app_context():
        assert plan_of_ada() == "free"
    assert sdk(polar).customers.get(early.id).external_id is None


def test_two_requests_that_link_at_once(
    polar_app: Flask, polar: LocalPolar, early: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one wins between our looking and our writing; the end is the same."""
    with polar_app.app_context():
        user = make_user(email="ada@example.com")
        update = gateway.update_customer

        def late(polar_id: str, **changes: object) -> Any:
            update(polar_id, **changes)
            raise gateway.PolarRejected("422 Customer external ID cannot be updated.")

        monkeypatch.setattr(gateway, "update_customer", late)
        assert claims.claim(user)
        assert plan_of_ada() == "pro"
        assert not claims.claim(user)


def test_deliveries_after_deletion_carry_no_id_and_still_count(app: Flask) -> None:
    """In the recorded order of scenario 25: the customer goes first, then what it had ends."""
    client = app.test_client()
    purchase = recordings.scenario("02-paid-monthly-checkout")
    with app.app_context():
        make_user("user_2")
    for recording in purchase:
        deliver(client, recording)
    last = {recording.event["type"]: recording.event["data"] for recording in purchase}
    gone = {"external_id": None, "deleted_at": LATER, "modified_at": LATER}
    nobody = {"customer": last["customer.created"] | gone, "modified_at": LATER}
    ended = {"status": "canceled", "ended_at": LATER, "ends_at": LATER, "canceled_at": LATER}
    subscription = last["subscription.updated"] | nobody | ended
    revoked = last["benefit_grant.created"] | nobody | {"is_granted": False, "is_revoked": True}
    endings = [
        ("customer.deleted", last["customer.created"] | gone),
        ("customer.state_changed", last["customer.created"] | gone),
        ("benefit_grant.revoked", revoked),
        ("subscription.updated", subscription),
        ("subscription.canceled", subscription),
        ("subscription.revoked", subscription),
    ]
    for kind, data in endings:
        assert send(client, event(kind, data)).status_code == 202
    with app.app_context():
        user = db.session.scalars(db.select(User)).one()
        entitled = entitlements.for_user(user)
        assert (entitled.plan.key, entitled.status) == ("free", "canceled")
        assert entitled.features == frozenset()
        [customer] = db.session.scalars(db.select(Customer))
        assert (customer.user_id, customer.external_id) == (user.id, None)
