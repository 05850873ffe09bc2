"""Whoever proves an address gets what was bought with it, and nobody else, also as a second customer."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import claims, customers, entitlements, gateway
from saas.billing.models import Customer
from saas.extensions import db, start_write
from saas.kit.datetimes import utcnow
from tests.accounts.pages import link_in, mails
from tests.billing.buying import buy, choose, fill_catalogue
from tests.billing.link_purchases import buy_by_link, deliver
from tests.browsing import PASSWORD, sign_in, soup, submit
from tests.people import make_user
from tests.webhooks.door import event, send

BOB = "bob@example.com"
CAROL = "carol@example.com"


@pytest.fixture
def ids(polar_app: Flask) -> dict[str, str]:
    return fill_catalogue(polar_app)


@pytest.fixture
def stranger(polar_app: Flask, polar: LocalPolar, ids: dict[str, str]) -> str:
    """Somebody bought Pro as Bob, through a link, and we heard of it. Returns Polar's id."""
    customer_id = buy_by_link(polar_app, polar, ids["Pro Monthly"], BOB)
    deliver(polar_app, customer_id)
    return customer_id


@pytest.fixture
def two(polar_app: Flask, stranger: str) -> tuple[FlaskClient, str]:
    """Ada is a customer, then proves Bob's address: she is two customers now. Returns her public id, too."""
    client, public_id = sign_in(polar_app)
    make_customer(polar_app, public_id)
    move(polar_app, client, BOB)
    return client, public_id


def make_customer(app: Flask, public_id: str) -> None:
    with app.app_context():
        customers.ensure(db.session.scalars(db.select(User).filter_by(public_id=public_id)).one())


def move(app: Flask, client: FlaskClient, address: str) -> None:
    """Change the address by the form and the link that is mailed."""
    submit(client, "/settings/email", email=address, password=PASSWORD)
    mail = [mail for mail in mails(app) if mail.recipient == address][-1]
    assert submit(client, link_in(mail, "/confirm-address/")).status_code == 303


def plan(app: Flask, public_id: str) -> str:
    with app.app_context():
        user = db.session.scalars(db.select(User).filter_by(public_id=public_id)).one()
        return entitlements.for_user(user).plan.key


def page(client: FlaskClient, url: str = "/settings/billing") -> str:
    main = soup(client.get(url)).main
    assert main is not None
    return " ".join(main.get_text(" ").split())


def test_bought_by_link_while_signed_in(
    polar_app: Flask, polar: LocalPolar, ids: dict[str, str]
) -> None:
    client, public_id = sign_in(polar_app)
    customer_id = buy_by_link(polar_app, polar, ids["Pro Monthly"], "Ada@example.com")
    assert plan(polar_app, public_id) == "free"
    deliver(polar_app, customer_id)
    assert plan(polar_app, public_id) == "pro"
    assert "Renews on" in page(client)
    with polar_app.app_context():
        assert gateway.customer(customer_id).data["external_id"] == public_id


def test_polar_down_at_the_delivery_is_made_up_for(
    polar_app: Flask, polar: LocalPolar, ids: dict[str, str]
) -> None:
    customer_id = buy_by_link(polar_app, polar, ids["Pro Monthly"], BOB)
    _, public_id = sign_in(polar_app, BOB)
    with polar_app.app_context():
        data = gateway.customer(customer_id).data
    polar.faults(api="500")
    send(polar_app.test_client(), event("customer.created", data))
    polar.faults(api=None)
    assert plan(polar_app, public_id) == "free"
    with polar_app.app_context():
        [waiting] = claims.waiting()
        claims.claim_for(waiting[0])
    assert plan(polar_app, public_id) == "pro"


def test_unproven_address_gets_nothing_from_a_delivery(
    polar_app: Flask, polar: LocalPolar, ids: dict[str, str]
) -> None:
    with polar_app.app_context():
        public_id = make_user(email=BOB, confirmed=False).public_id
    deliver(polar_app, buy_by_link(polar_app, polar, ids["Pro Monthly"], BOB))
    assert plan(polar_app, public_id) == "free"


def test_address_change_of_somebody_who_is_no_customer(polar_app: Flask, stranger: str) -> None:
    client, public_id = sign_in(polar_app)
    move(polar_app, client, BOB)
    assert plan(polar_app, public_id) == "pro"
    with polar_app.app_context():
        assert gateway.customer(stranger).data["external_id"] == public_id


def test_address_change_of_a_customer(
    polar_app: Flask,
    stranger: str,
    two: tuple[FlaskClient, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    client, public_id = two
    assert "was refused by Polar" not in caplog.text
    assert plan(polar_app, public_id) == "pro"
    for words in (["billing", "sync"], ["billing", "sync", BOB]):
        result = polar_app.test_cli_runner().invoke(args=words)
        assert (result.exit_code, "agrees" in result.output) == (0, True), result.output
    assert plan(polar_app, public_id) == "pro"
    text = page(client)
    assert "Pro Monthly Paid $20" in text
    assert "knows you as two customers" in text
    assert (
        submit(client, "/settings/billing/portal", form_at="/settings/billing").status_code == 303
    )
    with polar_app.app_context():
        user = db.session.scalars(db.select(User)).one()
        assert not claims.claim(user)
        assert gateway.customer(stranger).data["external_id"] is None
    listed = polar_app.test_cli_runner().invoke(args=["billing", "addresses"]).output
    assert listed == f"{BOB}  at Polar: ada@example.com  apart\n"


def test_two_customers_buy_nothing_twice(
    polar_app: Flask, polar: LocalPolar, ids: dict[str, str], two: tuple[FlaskClient, str]
) -> None:
    client, _ = two
    assert "/settings/billing/plan" in choose(client, ids["Team Monthly"]).location
    buy(client, polar, ids["Lifetime"])
    assert choose(client, ids["Lifetime"]).location == "/settings/billing"
    assert submit(client, "/settings/billing/cancellation", reason="").status_code == 303
    assert "Cancelled. You keep your plan" in page(client)


def test_portal_is_that_of_the_customer_who_pays(
    polar_app: Flask, two: tuple[FlaskClient, str]
) -> None:
    opened = submit(two[0], "/settings/billing/portal", form_at="/settings/billing")
    assert "email=bob%40example.com" in opened.location


def test_portal_is_that_of_the_customer_whose_payment_failed(
    polar_app: Flask, polar: LocalPolar, ids: dict[str, str], stranger: str
) -> None:
    """The plan that leads the page is paid for; the banner is about the other one."""
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Team Monthly"])
    move(polar_app, client, BOB)
    with polar_app.app_context():
        [bobs] = gateway.customer_subscriptions(stranger)
    now = utcnow().isoformat()
    owed = {"status": "past_due", "past_due_at": now, "modified_at": now}
    assert send(client, event("subscription.past_due", bobs.data | owed)).status_code == 202
    banner = soup(client.get("/dashboard")).select_one('[data-testid="owed"]')
    assert banner is not None
    assert "Pro Monthly" in banner.text
    opened = submit(client, "/settings/billing/portal", form_at="/settings/billing")
    assert "email=bob%40example.com" in opened.location


def test_next_address_of_two_customers_brings_no_offers(
    polar_app: Flask, stranger: str, two: tuple[FlaskClient, str]
) -> None:
    client, public_id = two
    before = len(mails(polar_app))
    move(polar_app, client, CAROL)
    result = polar_app.test_cli_runner().invoke(args=["billing", "notices"])
    assert result.exit_code == 0, result.output
    offers = [mail for mail in mails(polar_app)[before:] if "with this address?" in mail.subject]
    assert offers == []
    assert f"go to {BOB}" in page(client)
    with polar_app.app_context():
        own = gateway.customer_by_external_id(public_id)
        assert own is not None
        assert own.data["email"] == CAROL
        assert gateway.customer(stranger).data["email"] == BOB


def test_an_id_of_somebody_else_wins_over_the_address(
    polar_app: Flask, stranger: str, two: tuple[FlaskClient, str]
) -> None:
    with polar_app.app_context():
        other = make_user("eve").public_id
        gateway.update_customer(stranger, external_id=other)
    deliver(polar_app, stranger)
    assert (plan(polar_app, two[1]), plan(polar_app, other)) == ("free", "pro")


def test_customer_who_got_an_id_meanwhile_is_not_taken(polar_app: Flask, stranger: str) -> None:
    """Our copy says that it is nobody's; Polar knows better."""
    with polar_app.app_context():
        gateway.update_customer(stranger, external_id="somebody-else")
        user = make_user(email=BOB)
        assert not claims.claim(user)
        [customer] = db.session.scalars(db.select(Customer))
        assert (customer.external_id, customer.user_id) == ("somebody-else", None)


def test_customer_who_moved_on_is_not_taken(polar_app: Flask, stranger: str) -> None:
    with polar_app.app_context():
        gateway.update_customer(stranger, email=CAROL)
        assert not claims.claim(make_user(email=BOB))
        assert gateway.customer(stranger).data["external_id"] is None


def test_own_customer_made_in_the_same_moment(
    polar_app: Flask, stranger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A click on "Choose" in another tab makes a customer between our look and our call."""
    real = gateway.customer_by_external_id
    with polar_app.app_context():
        user = make_user("ada", email=BOB)
        gateway.create_customer("ada", "other@example.com")
        looks: list[Callable[[str], Any]] = [lambda _: None]
        monkeypatch.setattr(
            gateway, "customer_by_external_id", lambda key: (looks or [real]).pop()(key)
        )
        assert claims.claim(user)
        assert gateway.customer(stranger).data["external_id"] is None
    assert plan(polar_app, "ada") == "pro"


def test_trouble_at_the_door_is_only_logged(
    polar_app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(claims, "_ask_for", lambda ids: 1 / 0)
    with polar_app.app_context():
        claims.after_change([{"polar_id": "x", "external_id": None, "deleted_at": None}])
    assert "could not be linked" in caplog.text


def test_account_that_is_gone_claims_nothing(polar_app: Flask) -> None:
    with polar_app.app_context():
        start_write()
        claims.claim_for(1)


@pytest.mark.parametrize("is_customer", [False, True], ids=["first", "second"])
def test_four_at_once(polar_app: Flask, stranger: str, is_customer: bool) -> None:
    with polar_app.app_context():
        user = make_user("ada", email=BOB)
        user_id = user.id
        if is_customer:
            gateway.create_customer("ada", "other@example.com")

    def claim(_: int) -> None:
        with polar_app.app_context():
            claims.claim_for(user_id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(claim, range(4)))
    assert plan(polar_app, "ada") == "pro"
    with polar_app.app_context():
        assert claims.waiting() == []
        owners = set(db.session.scalars(db.select(Customer.user_id)))
        assert owners == {user_id}


def test_a_customer_that_cannot_be_read_costs_nobody_the_checkout_or_the_way_out(
    polar_app: Flask, ids: dict[str, str], stranger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Polar may show tomorrow what we cannot read today."""
    shown = gateway.customer

    def strange(polar_id: str) -> gateway.Answer:
        answer = shown(polar_id)
        return gateway.Answer(answer.data | {"created_at": "soon"}, answer.observed_at)

    monkeypatch.setattr(gateway, "customer", strange)
    client, _ = sign_in(polar_app, BOB)
    assert choose(client, ids["Pro Yearly"]).status_code < 500
    gone = submit(client, "/settings/account/delete", password=PASSWORD)
    assert gone.status_code < 500
