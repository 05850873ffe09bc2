"""Whose customer is whose: the traps that Polar was recorded to set, and that two people never merge."""

from typing import Any

from flask import Flask

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import customers
from saas.billing.models import Customer
from saas.extensions import db
from tests.billing.buying import buy, choose, fill_catalogue
from tests.browsing import sign_in
from tests.people import make_user


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
    from saas.accounts import signals
    from saas.billing import entitlements, sync
    from saas.kit.datetimes import utcnow

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
