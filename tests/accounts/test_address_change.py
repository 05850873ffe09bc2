"""Another e-mail address: proven by the new one, told to the old one and to Polar; nobody is merged."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import address_news, gateway
from saas.billing.models import AddressNews, Customer
from saas.extensions import db
from tests.accounts.pages import link_in, mails, press
from tests.billing.buying import buy, fill_catalogue
from tests.browsing import PASSWORD, sign_in, submit
from tests.people import make_user
from tests.webhooks.door import event, send

URL, NEW = "/settings/email", "ada@new.example.com"


def ask(client: FlaskClient, email: str = NEW, password: str = PASSWORD) -> int:
    return submit(client, URL, email=email, password=password).status_code


def addresses(app: Flask) -> list[str]:
    with app.app_context():
        return sorted(db.session.scalars(db.select(User.email)))


def at_polar(app: Flask, public_id: str) -> str:
    with app.app_context():
        found = gateway.customer_by_external_id(public_id)
        return str(found.data["email"]) if found else ""


def open_link(app: Flask, client: FlaskClient) -> str:
    """Open the newest mail's link and press the button. Returns where it led."""
    response = press(client, link_in(mails(app)[0], "/confirm-address/"))
    return f"{response.status_code} {response.location or ''}".strip()


def test_new_address_counts_once_confirmed(app: Flask) -> None:
    client, _ = sign_in(app)
    assert ask(client) == 303
    assert addresses(app) == ["ada@example.com"]
    assert [mail.recipient for mail in mails(app)] == [NEW]
    assert open_link(app, client) == "303 /settings/account"
    assert addresses(app) == [NEW]
    assert {mail.recipient for mail in mails(app)} == {NEW, "ada@example.com"}
    assert submit(app.test_client(), "/login", email=NEW, password=PASSWORD).status_code == 303


def test_link_dies_with_the_password(app: Flask) -> None:
    client, _ = sign_in(app)
    ask(client)
    url = link_in(mails(app)[0], "/confirm-address/")
    submit(client, "/settings/password", current_password=PASSWORD, password="another long one")
    assert client.get(url).status_code == 410
    assert addresses(app) == ["ada@example.com"]


def test_link_works_once(app: Flask) -> None:
    client, _ = sign_in(app)
    ask(client)
    url = link_in(mails(app)[0], "/confirm-address/")
    assert press(client, url).status_code == 303
    assert client.get(url).status_code == 410
    assert client.get("/confirm-address/made-up").status_code == 410


@pytest.mark.parametrize(("email", "password"), [("nonsense", PASSWORD), (NEW, "a guess")])
def test_refused(app: Flask, email: str, password: str) -> None:
    client, _ = sign_in(app)
    assert ask(client, email, password) == 422
    assert mails(app) == []


def test_address_of_somebody_else_is_told_to_them_alone(app: Flask) -> None:
    with app.app_context():
        make_user("bob")
    client, _ = sign_in(app)
    assert ask(client, "bob@example.com") == 303
    assert [(mail.recipient, "confirm-address" in mail.text) for mail in mails(app)] == [
        ("bob@example.com", False)
    ]
    assert addresses(app) == ["ada@example.com", "bob@example.com"]


def test_taken_while_the_link_was_on_its_way(app: Flask) -> None:
    client, _ = sign_in(app)
    ask(client)
    url = link_in(mails(app)[0], "/confirm-address/")
    with app.app_context():
        make_user("bob", NEW)
    assert press(client, url).status_code == 410
    assert addresses(app) == ["ada@example.com", NEW]


def test_unconfirmed_account_gives_way(app: Flask) -> None:
    client, _ = sign_in(app)
    with app.app_context():
        make_user("nobody", NEW, confirmed=False)
    ask(client)
    assert open_link(app, client).startswith("303")
    assert addresses(app) == [NEW]


def test_arrives_at_polar(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    ask(client)
    open_link(polar_app, client)
    assert at_polar(polar_app, public_id) == NEW
    assert client.get("/dashboard/reports").status_code == 200


def test_polar_down_is_told_later(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    ask(client)
    polar.faults(api="down")
    assert open_link(polar_app, client).startswith("303")
    assert addresses(polar_app) == [NEW]
    with polar_app.app_context():
        assert address_news.run() == 0
    polar.faults(api=None)
    with polar_app.app_context():
        assert address_news.run() == 1
        assert db.session.scalars(db.select(AddressNews)).all() == []
    assert at_polar(polar_app, public_id) == NEW


def test_another_customer_has_it_at_polar(
    polar_app: Flask, polar: LocalPolar, caplog: pytest.LogCaptureFixture
) -> None:
    """Two people stay two people: our customer keeps the old address there."""
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    with polar_app.app_context():
        gateway.create_customer("somebody-else", NEW)
    ask(client)
    assert open_link(polar_app, client).startswith("303")
    assert at_polar(polar_app, public_id) == "ada@example.com"
    assert "refused by Polar" in caplog.text
    assert client.get("/dashboard/reports").status_code == 200


def test_change_at_polar_is_information_here(polar_app: Flask, polar: LocalPolar) -> None:
    """Not even when the new address there is the one that somebody else signs in with here."""
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    bob, _ = sign_in(polar_app, "bob@example.com")
    buy(client, polar, ids["Pro Monthly"])
    with polar_app.app_context():
        customer = gateway.customer_by_external_id(public_id)
        assert customer is not None
        answer = gateway.update_customer(str(customer.data["id"]), email="bob@example.com")
    assert send(client, event("customer.updated", answer.data)).status_code == 202
    assert addresses(polar_app) == ["ada@example.com", "bob@example.com"]
    with polar_app.app_context():
        assert db.session.scalars(db.select(Customer.email)).one() == "bob@example.com"
    assert "Receipts go to bob@example.com" in client.get("/settings/billing").text
    assert client.get("/dashboard/reports").status_code == 200
    assert bob.get("/dashboard/reports").status_code == 303
