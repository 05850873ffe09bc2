"""A checkout that is paid after its account was deleted: a subscription of nobody, which staff must see."""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import orphans
from saas.billing.models import Customer, Order, Subscription
from saas.extensions import db
from tests.backoffice.conftest import hired
from tests.billing.buying import buy, choose, fill_catalogue
from tests.billing.holding_data import NOW, put_order
from tests.browsing import PASSWORD, sign_in, soup, submit


def pay_after_leaving(app: Flask, polar: LocalPolar) -> str:
    """Open a checkout, delete the account, then pay. Returns the id of what was bought."""
    ids = fill_catalogue(app)
    client, _ = sign_in(app)
    opened = choose(client, ids["Pro Monthly"]).location
    left = submit(client, "/settings/account/delete", password=PASSWORD)
    assert left.status_code == 303, left.text
    secret = urlsplit(opened).path.rpartition("/")[2]
    paid = polar.complete_checkout(secret, email="ada@example.com")
    assert paid.status_code == 200, paid.text
    polar.wait_idle()
    result = app.test_cli_runner().invoke(args=["billing", "sync"])
    assert result.exit_code == 0, result.output
    with app.app_context():
        return db.session.scalars(db.select(Subscription.polar_id)).one()


def test_it_is_named_and_shown_to_staff(polar_app: Flask, polar: LocalPolar) -> None:
    subscription_id = pay_after_leaving(polar_app, polar)
    result = polar_app.test_cli_runner().invoke(args=["billing", "sync"])
    assert f"! subscription {subscription_id} was bought for an account" in result.output
    page = soup(hired(polar_app).get("/staff/")).select_one('[data-testid="orphans"]')
    assert page is not None
    assert subscription_id in page.get_text()


def test_what_is_in_order_is_no_orphan(polar_app: Flask, polar: LocalPolar) -> None:
    """Nor is what was bought, and ended, before the account was deleted."""
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    with polar_app.app_context():
        assert orphans.found() == []
    submit(client, "/settings/account/delete", password=PASSWORD)
    polar.wait_idle()
    polar_app.test_cli_runner().invoke(args=["billing", "sync"])
    with polar_app.app_context():
        assert orphans.found() == []


def test_one_time_purchase_of_nobody(app: Flask, ada: User) -> None:
    late, early = NOW + timedelta(days=1), NOW - timedelta(days=20)
    put_order(ada, created_at=late.isoformat(), modified_at=late.isoformat())
    db.session.execute(db.update(Customer).values(user_id=None, deleted_at=NOW))
    assert [orphan.kind for orphan in orphans.found()] == ["order"]
    db.session.execute(db.update(Order).values(created_at=early))
    assert orphans.found() == []
    db.session.rollback()
