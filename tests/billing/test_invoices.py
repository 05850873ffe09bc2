"""Payment history: status, refunds, and an invoice that is made when somebody asks for it."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import gateway, payments
from saas.billing.models import Order
from saas.extensions import db
from tests.billing.buying import NOBODYS, buy, fill_catalogue
from tests.billing.holding_data import put_order
from tests.browsing import csrf_token, sign_in, soup
from tests.people import make_user


@pytest.fixture
def customer(polar_app: Flask, polar: LocalPolar) -> FlaskClient:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    return client


def order_id(app: Flask) -> str:
    with app.app_context():
        return db.session.scalars(db.select(Order.polar_id)).one()


def ask(client: FlaskClient, which: str) -> str:
    token = csrf_token(client, "/settings/billing")
    response = client.post(f"/settings/billing/invoices/{which}", data={"csrf_token": token})
    return f"{response.status_code} {response.location or ''}"


def state(client: FlaskClient, url: str) -> tuple[str, bool]:
    response = client.get(url)
    found = soup(response).select_one('[data-testid="invoice"]')
    assert found is not None
    return str(found["data-state"]), "Refresh" in response.headers


def test_invoice_is_made_and_waited_for(
    customer: FlaskClient, polar_app: Flask, polar: LocalPolar
) -> None:
    which = order_id(polar_app)
    url = f"/settings/billing/invoices/{which}"
    assert state(customer, url) == ("waiting", True)
    assert soup(customer.get("/settings/billing")).select_one('[data-testid="invoice-1"]')
    assert ask(customer, which) == f"303 {url}"
    polar.wait_idle()
    assert state(customer, url) == ("ready", False)
    link = soup(customer.get(url)).select_one('[data-testid="invoice-download"]')
    assert link is not None
    assert str(link["href"]).startswith(polar.url)


@pytest.mark.parametrize("which", [NOBODYS, "x", "..%2f..%2fcustomers"])
def test_unknown_order(customer: FlaskClient, which: str) -> None:
    assert ask(customer, which).startswith("404")
    assert customer.get(f"/settings/billing/invoices/{which}").status_code == 404


def test_somebody_elses_order(customer: FlaskClient, polar_app: Flask) -> None:
    bob, _ = sign_in(polar_app, "bob@example.com")
    assert ask(bob, order_id(polar_app)).startswith("404")
    anonymous = polar_app.test_client()
    url = f"/settings/billing/invoices/{order_id(polar_app)}"
    assert anonymous.get(url).status_code == 303


def test_polar_down(customer: FlaskClient, polar_app: Flask, polar: LocalPolar) -> None:
    which, token = order_id(polar_app), csrf_token(customer, "/settings/billing")
    polar.faults(api="down")
    url = f"/settings/billing/invoices/{which}"
    assert customer.post(url, data={"csrf_token": token}).status_code == 503


def test_refused_says_what_is_missing(
    customer: FlaskClient, polar_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_order_id: str) -> None:
        raise gateway.PolarRejected("422")

    monkeypatch.setattr(gateway, "generate_invoice", refused)
    assert ask(customer, order_id(polar_app)) == "303 /settings/billing"
    assert "Add your name and address" in customer.get("/settings/billing").text


@pytest.mark.parametrize(
    ("status", "refunded", "words", "amount", "has_invoice"),
    [
        ("paid", 0, "Paid", "", True),
        ("pending", 0, "Waiting for payment", "", False),
        ("partially_refunded", 1000, "Partly refunded", "$10 refunded", True),
        ("refunded", 39900, "Refunded", "$399 refunded", True),
        ("void", 0, "Cancelled, not paid", "", False),
    ],
)
def test_history_in_words(
    app: Flask, status: str, refunded: int, words: str, amount: str, has_invoice: bool
) -> None:
    with app.app_context():
        user = make_user("ada")
        put_order(user, status=status, refunded_amount=refunded)
        put_order(db.session.get_one(User, user.id), "Free")
        found = payments.of(user)
    assert [(each.status_words, each.refunded, each.has_invoice) for each in found] == [
        (words, amount, has_invoice)
    ]
