"""The report of a comparison names whatever the run changes: products, benefits and links as well."""

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import entitlements, gateway, reconcile, sync
from saas.billing.models import Benefit, Product
from saas.billing.sync import LONG_AGO
from saas.extensions import db
from saas.kit.datetimes import utcnow
from tests.billing.buying import fill_catalogue, pay
from tests.billing.catalogue_data import product, put
from tests.billing.test_queries import counted
from tests.browsing import sign_in
from tests.test_cli_billing import plan, run, subscriber

__all__ = ["subscriber"]

ADA = "ada@example.com"
ONE_OR_ALL = pytest.mark.parametrize("words", [(), (ADA,)], ids=["all", "one"])


def lines(output: str) -> list[str]:
    return sorted(line for line in output.splitlines() if line.startswith("- "))


@ONE_OR_ALL
def test_products_and_benefits_are_compared(
    polar_app: Flask, subscriber: str, words: tuple[str, ...]
) -> None:
    with polar_app.app_context():
        bought = db.session.scalars(select(Product).where(Product.name == "Pro Monthly")).one()
        pro, right = bought.polar_id, bought.prices
        db.session.execute(update(Product).values(meta={"plan": "wrong"}, observed_at=LONG_AGO))
        db.session.execute(update(Product).where(Product.polar_id == pro).values(prices=[]))
        db.session.execute(update(Benefit).values(meta={"feature": "x"}, observed_at=LONG_AGO))
        db.session.commit()
    rehearsed = run(polar_app, "sync", *words, "--dry-run")
    assert f"- product {pro}: metadata {{'plan': 'wrong'}} -> {{'plan': 'pro'" in rehearsed
    assert "prices changed" in rehearsed
    assert "metadata {'feature': 'x'} -> {'feature': 'reports'}" in rehearsed
    assert "nothing was changed" in rehearsed
    assert plan(polar_app) == ("wrong", "active")
    healed = run(polar_app, "sync", *words)
    assert lines(healed) == lines(rehearsed)
    assert plan(polar_app) == ("pro", "active")
    with polar_app.app_context():
        assert db.session.get_one(Product, pro).prices == right
    assert "Our copy agrees with Polar." in run(polar_app, "sync", *words)


@ONE_OR_ALL
def test_a_product_that_is_missing_there_or_here_is_named(
    polar_app: Flask, subscriber: str, words: tuple[str, ...]
) -> None:
    with polar_app.app_context():
        put(product("Elsewhere"))
        gone = db.session.scalars(select(Product).where(Product.name == "Elsewhere")).one().polar_id
        lost = db.session.scalars(select(Product).where(Product.name == "Lifetime")).one().polar_id
        db.session.execute(delete(Product).where(Product.polar_id == lost))
        db.session.commit()
    rehearsed = run(polar_app, "sync", *words, "--dry-run")
    assert f"- product {gone}: is_archived False -> True" in rehearsed
    assert f"- product {lost} was missing here" in rehearsed
    with polar_app.app_context():
        assert not db.session.get_one(Product, gone).is_archived
        assert db.session.get(Product, lost) is None
    assert lines(run(polar_app, "sync", *words)) == lines(rehearsed)
    with polar_app.app_context():
        assert db.session.get_one(Product, gone).is_archived
    assert "Our copy agrees with Polar." in run(polar_app, "sync", *words)


def test_a_product_that_is_made_while_the_list_is_read_stays_for_sale(
    polar_app: Flask, subscriber: str
) -> None:
    with polar_app.app_context():
        listed = list(gateway.products())
        sync.put_product(product("Just Made"), utcnow())
        db.session.commit()
        reconcile.keep_catalogue(listed)
        made = db.session.scalars(select(Product).where(Product.name == "Just Made")).one()
        assert made.is_for_sale


def test_one_that_a_reading_skipped_comes_back(polar_app: Flask, subscriber: str) -> None:
    with polar_app.app_context():
        db.session.execute(update(Product).values(is_archived=True, observed_at=LONG_AGO))
        db.session.commit()
    assert "is_archived True -> False" in run(polar_app, "sync")


@ONE_OR_ALL
@pytest.mark.parametrize("is_known", [True, False])
def test_who_bought_without_an_account_is_linked_and_told(
    polar_app: Flask, polar: LocalPolar, words: tuple[str, ...], is_known: bool
) -> None:
    """Through a checkout link, with the address of an account; Polar was away when that was proven."""
    ids = fill_catalogue(polar_app)
    sign_in(polar_app)
    with polar_app.app_context():
        fields = {"products": [ids["Pro Monthly"]], "customer_email": ADA}
        made = gateway.create_checkout(**fields).data
    pay(polar, made["url"])
    if is_known:
        with polar_app.app_context():
            for answer in gateway.customers_by_email(ADA):
                sync.put_customer(answer.data, answer.observed_at)
            db.session.commit()
    rehearsed = run(polar_app, "sync", *words, "--dry-run")
    assert f"{ADA}: " in rehearsed
    assert "would be linked to the account" in rehearsed
    assert "not a customer at Polar" not in rehearsed
    with polar_app.app_context():
        user = db.session.scalars(select(User).where(User.email == ADA)).one()
        assert entitlements.for_user(user).plan.key == "free"
    healed = run(polar_app, "sync", *words)
    assert lines(healed) == lines(rehearsed)
    with polar_app.app_context():
        user = db.session.scalars(select(User).where(User.email == ADA)).one()
        assert entitlements.for_user(user).plan.key == "pro"


def test_nothing_is_asked_about_kinds_that_were_not_read(app: Flask) -> None:
    """A change, and the page after a payment, keep what they have read several times."""
    with counted(app) as seen, app.app_context():
        assert reconcile.keep(reconcile.Reading()) == []
    assert seen == []
