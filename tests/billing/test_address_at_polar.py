"""An address that is changed at Polar arrives here: offered to its owner, and never merging two people."""

from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import address_news, gateway, housekeeping, notices
from saas.billing.models import Notice
from saas.extensions import db
from saas.kit.datetimes import utcnow
from tests.accounts.pages import link_in, mails
from tests.billing.buying import buy, fill_catalogue
from tests.browsing import PASSWORD, sign_in, soup, submit
from tests.webhooks.door import event, send

NEW = "accounts@new.example.com"
Person = tuple[FlaskClient, str]


@pytest.fixture
def ada(polar_app: Flask, polar: LocalPolar) -> Person:
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    return client, public_id


@pytest.fixture
def change_at_polar(polar_app: Flask, ada: Person) -> Callable[[str], Any]:
    """Change the customer's address there; the event arrives here twice."""

    def change(address: str) -> Any:
        with polar_app.app_context():
            customer = gateway.customer_by_external_id(ada[1])
            assert customer is not None
            answer = gateway.update_customer(str(customer.data["id"]), email=address)
        for _ in range(2):
            assert send(ada[0], event("customer.updated", answer.data)).status_code == 202
        return answer

    return change


def offers(app: Flask, address: str = NEW) -> list[Any]:
    return [mail for mail in mails(app) if mail.recipient == address]


def addresses(app: Flask) -> list[str]:
    with app.app_context():
        return sorted(db.session.scalars(db.select(User.email)))


def note(client: FlaskClient) -> str:
    found = soup(client.get("/settings/billing")).select_one('[data-testid="address-elsewhere"]')
    return found.get_text() if found else ""


def run(app: Flask) -> int:
    with app.app_context():
        return notices.run() + address_news.run()


def test_offered_once_and_taken_with_the_password(
    polar_app: Flask, ada: Person, change_at_polar: Callable[[str], Any]
) -> None:
    client, _ = ada
    change_at_polar(NEW)
    run(polar_app)
    [offer] = offers(polar_app)
    assert "open the link that we sent there" in note(client)
    url = link_in(offer, "/confirm-address/")
    stranger = polar_app.test_client()
    assert addresses(polar_app) == ["ada@example.com"]
    refused = submit(stranger, url, password="not the password")
    assert "This is not your current password." in refused.text
    assert submit(stranger, url).status_code != 303
    assert addresses(polar_app) == ["ada@example.com"]
    assert submit(client, url, password=PASSWORD).status_code == 303
    assert addresses(polar_app) == [NEW]
    assert note(client) == ""
    assert client.get("/dashboard/reports").status_code == 200
    run(polar_app)
    assert len([mail for mail in offers(polar_app) if "with this address?" in mail.subject]) == 1


def test_second_change_replaces_the_first(
    polar_app: Flask, change_at_polar: Callable[[str], Any]
) -> None:
    change_at_polar(NEW)
    change_at_polar("other@new.example.com")
    assert len(offers(polar_app)) == len(offers(polar_app, "other@new.example.com")) == 1


def test_address_of_another_account_is_offered_to_nobody(
    polar_app: Flask, ada: Person, change_at_polar: Callable[[str], Any]
) -> None:
    bob, _ = sign_in(polar_app, "bob@example.com")
    before = len(offers(polar_app, "bob@example.com"))
    change_at_polar("Bob@example.com")
    run(polar_app)
    assert len(offers(polar_app, "bob@example.com")) == before
    assert "Another account here has that address" in note(ada[0])
    assert "Another account" not in bob.get("/settings/billing").text
    assert bob.get("/dashboard/reports").status_code == 303
    assert addresses(polar_app) == ["ada@example.com", "bob@example.com"]
    listed = polar_app.test_cli_runner().invoke(args=["billing", "addresses"]).output
    assert "ada@example.com  at Polar: " in listed
    assert listed.strip().endswith("taken")


def test_taken_meanwhile_by_another_account(
    polar_app: Flask, ada: Person, change_at_polar: Callable[[str], Any]
) -> None:
    change_at_polar(NEW)
    url = link_in(offers(polar_app)[0], "/confirm-address/")
    sign_in(polar_app, NEW)
    assert submit(ada[0], url, password=PASSWORD).status_code == 410
    assert addresses(polar_app) == [NEW, "ada@example.com"]


def change_here(app: Flask, client: FlaskClient, address: str) -> None:
    submit(client, "/settings/email", email=address, password=PASSWORD)
    url = link_in(offers(app, address)[-1], "/confirm-address/")
    assert submit(client, url).status_code == 303


def test_own_old_address_is_not_offered_back(
    polar_app: Flask, polar: LocalPolar, ada: Person
) -> None:
    """Changed here while Polar is away: there it is still the old one, and that is no news."""
    before = len(offers(polar_app, "ada@example.com"))
    polar.faults(api="500")
    change_here(polar_app, ada[0], NEW)
    polar.faults(api=None)
    polar_app.test_cli_runner().invoke(args=["billing", "sync"])
    run(polar_app)
    told = offers(polar_app, "ada@example.com")[before:]
    assert all("with this address?" not in mail.subject for mail in told)
    assert note(ada[0]) == ""
    with polar_app.app_context():
        customer = gateway.customer_by_external_id(ada[1])
        assert customer is not None
        assert customer.data["email"] == NEW


def test_changed_again_while_polar_is_told_of_it(
    polar_app: Flask, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one overtakes the first, which Polar is slow with."""
    real, other = gateway.update_customer, polar_app.test_client()

    def change_again(address: str) -> None:
        submit(other, "/login", email=address, password=PASSWORD)
        change_here(polar_app, other, NEW)

    def overtaken(polar_id: str, **changes: Any) -> gateway.Answer:
        monkeypatch.setattr(gateway, "update_customer", real)
        tab = Thread(target=change_again, args=(changes["email"],))
        tab.start()
        tab.join()
        return real(polar_id, **changes)

    monkeypatch.setattr(gateway, "update_customer", overtaken)
    change_here(polar_app, ada[0], "first@new.example.com")
    with polar_app.app_context():
        customer = gateway.customer_by_external_id(ada[1])
        assert customer is not None
        assert customer.data["email"] == NEW
    assert note(other) == ""


def test_account_that_is_gone_holds_up_no_other_address(polar_app: Flask) -> None:
    with polar_app.app_context():
        assert address_news.tell(2**31 - 1) is False


def test_address_that_polar_refuses_is_said_and_listed(polar_app: Flask, ada: Person) -> None:
    with polar_app.app_context():
        gateway.create_customer("somebody-else", NEW)
    change_here(polar_app, ada[0], NEW)
    run(polar_app)
    assert f"our payment provider did not take {NEW}" in note(ada[0])
    subjects = [mail.subject for mail in offers(polar_app, "ada@example.com")]
    assert not any("with this address?" in subject for subject in subjects)
    listed = polar_app.test_cli_runner().invoke(args=["billing", "addresses"]).output
    assert listed.strip() == f"{NEW}  at Polar: ada@example.com  refused"


def test_given_up_address_is_not_offered_back_when_old_mails_are_forgotten(
    polar_app: Flask, ada: Person
) -> None:
    with polar_app.app_context():
        gateway.create_customer("somebody-else", NEW)
    change_here(polar_app, ada[0], NEW)
    before = len(offers(polar_app, "ada@example.com"))
    with polar_app.app_context():
        long_ago = utcnow() - housekeeping.NOTICES_KEPT - timedelta(days=1)
        db.session.execute(db.update(Notice).values(sent_at=long_ago))
        db.session.commit()
        housekeeping.prune_notices()
        assert set(db.session.scalars(db.select(Notice.kind))) == {"address_at_polar"}
    run(polar_app)
    told = offers(polar_app, "ada@example.com")[before:]
    assert not any("with this address?" in mail.subject for mail in told)
    listed = polar_app.test_cli_runner().invoke(args=["billing", "addresses"]).output
    assert listed.strip().endswith("refused")


def test_changed_back_at_polar_is_news_again(
    polar_app: Flask, ada: Person, change_at_polar: Callable[[str], Any]
) -> None:
    change_here(polar_app, ada[0], NEW)
    before = len(offers(polar_app, "ada@example.com"))
    change_at_polar("ada@example.com")
    assert len(offers(polar_app, "ada@example.com")) == before + 1


def test_switched_off(polar_app: Flask, ada: Person, change_at_polar: Callable[[str], Any]) -> None:
    from dataclasses import replace

    settings = polar_app.extensions["settings"]
    polar_app.extensions["settings"] = replace(settings, mails_off=("address_at_polar",))
    change_at_polar(NEW)
    assert offers(polar_app) == []
    assert "change your address in the account settings" in note(ada[0])
    polar_app.extensions["settings"] = settings


def test_nothing_to_list(polar_app: Flask, ada: Person) -> None:
    listed = polar_app.test_cli_runner().invoke(args=["billing", "addresses"])
    assert listed.output == "Every customer has the same address here and at Polar.\n"
