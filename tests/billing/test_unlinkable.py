"""The comparison of everybody goes on, whatever cannot be done for somebody."""

from typing import Any

import pytest
from flask import Flask

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import entitlements, gateway
from saas.billing.models import Subscription
from saas.extensions import db
from tests.backoffice.conftest import hired
from tests.billing.buying import NOBODYS, buy, fill_catalogue
from tests.billing.link_purchases import buy_by_link
from tests.browsing import sign_in, submit


@pytest.fixture
def unlinkable(polar_app: Flask, polar: LocalPolar, monkeypatch: pytest.MonkeyPatch) -> str:
    """Ada's purchase waits, and the token may not write customers. Bob has something that Polar has not."""
    ids = fill_catalogue(polar_app)
    sign_in(polar_app)
    customer_id = buy_by_link(polar_app, polar, ids["Pro Monthly"], "ada@example.com")
    bob, _ = sign_in(polar_app, "bob@example.com")
    buy(bob, polar, ids["Pro Monthly"])
    with polar_app.app_context():
        real = db.session.scalars(db.select(Subscription)).one()
        columns = {c.name: getattr(real, c.name) for c in Subscription.__table__.columns}
        ghost = {"polar_id": NOBODYS, "product_id": ids["Team Monthly"], "amount": 5000}
        db.session.add(Subscription(**columns | ghost))
        db.session.commit()

    def refused(polar_id: str, **changes: object) -> Any:
        raise gateway.PolarScopeMissing("lacks customers:write")

    monkeypatch.setattr(gateway, "update_customer", refused)
    return customer_id


def plan(app: Flask, email: str) -> str:
    with app.app_context():
        user = db.session.scalars(db.select(User).filter_by(email=email)).one()
        return entitlements.for_user(user).plan.key


def test_a_purchase_that_cannot_be_linked_holds_up_nothing(
    polar_app: Flask, unlinkable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert plan(polar_app, "bob@example.com") == "team"
    runner = polar_app.test_cli_runner()
    first = runner.invoke(args=["billing", "sync"])
    said = f"customer {unlinkable} could not be linked: lacks customers:write"
    assert (first.exit_code, said in first.output) == (1, True), first.output
    assert plan(polar_app, "bob@example.com") == "pro"
    again = runner.invoke(args=["billing", "sync"])
    assert (again.exit_code, "interrupted" in again.output) == (1, False), again.output
    assert "1 could not be linked" in again.output
    monkeypatch.undo()
    assert runner.invoke(args=["billing", "sync"]).exit_code == 0
    assert plan(polar_app, "ada@example.com") == "pro"


def test_nor_does_it_when_one_account_is_synced(polar_app: Flask, unlinkable: str) -> None:
    runner = polar_app.test_cli_runner()
    runner.invoke(args=["billing", "sync"])
    alone = runner.invoke(args=["billing", "sync", "ada@example.com"])
    assert (alone.exit_code, "could not be linked" in alone.output) == (1, True), alone.output
    other = runner.invoke(args=["billing", "sync", "bob@example.com"])
    assert other.exit_code == 0, other.output


def test_staff_are_told(polar_app: Flask, unlinkable: str) -> None:
    polar_app.test_cli_runner().invoke(args=["billing", "sync"])
    with polar_app.app_context():
        query = db.select(User.public_id).filter_by(email="ada@example.com")
        url = f"/staff/users/{db.session.scalars(query).one()}"
    client = hired(polar_app)
    submit(client, f"{url}/sync", form_at=url)
    assert "so 1 stays as it was" in client.get(url).text
