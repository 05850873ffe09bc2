"""Find people, see both sides of their plan, and help."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.backoffice import paging
from saas.billing import sync
from saas.billing.models import Customer, Subscription
from saas.extensions import db
from tests.accounts.pages import mails
from tests.backoffice.conftest import STAFF
from tests.backoffice.staffing import log, press, press_while_nothing_can_be_logged
from tests.billing.buying import buy, fill_catalogue
from tests.billing.holding_data import NOW, put_customer, put_subscription, stamps
from tests.browsing import sign_in, soup
from tests.people import make_user


def listed(client: FlaskClient, query: str = "") -> list[str]:
    page = soup(client.get(f"/staff/users{query}"))
    return [link.get_text(strip=True) for link in page.select('[data-testid="users"] .row-link')]


def people(app: Flask, *emails: str) -> list[str]:
    with app.app_context():
        return [make_user(str(uuid.uuid4()), email).public_id for email in emails]


def test_the_newest_come_first(staff: FlaskClient, app: Flask) -> None:
    people(app, "ann@example.com", "bob@example.com")
    assert listed(staff) == ["bob@example.com", "ann@example.com", STAFF]


def test_the_beginning_of_an_address_finds_it(staff: FlaskClient, app: Flask) -> None:
    people(app, "ann@example.com", "a-nn@example.com", "anna@example.com", "an.na@example.com")
    assert listed(staff, "?q=Ann") == ["ann@example.com", "anna@example.com"]
    assert listed(staff, "?q=an") == ["an.na@example.com", "ann@example.com", "anna@example.com"]
    assert listed(staff, "?q=nn") == []
    for odd in ("%25", "_", "ä", "%F0%9F%98%80", "~", "'", "a" * 300):
        assert listed(staff, f"?q={odd}") == []


def test_ids_find_exactly_one(staff: FlaskClient, app: Flask) -> None:
    [ann, _] = people(app, "ann@example.com", "bob@example.com")
    with app.app_context():
        customer = put_customer(db.session.scalars(db.select(User).filter_by(public_id=ann)).one())
        stranger = {"id": str(uuid.uuid4()), "external_id": None, "email": "who@example.com"}
        sync.put_customer({**stamps(), **stranger}, NOW)
        db.session.commit()
    assert listed(staff, f"?q={ann}") == ["ann@example.com"]
    assert listed(staff, f"?q={customer}") == ["ann@example.com"]
    for words in (stranger["id"], "who@example.com"):
        assert "A customer without an account here" in staff.get(f"/staff/users?q={words}").text


@pytest.mark.parametrize("words", ["", "user"])
def test_pages_by_key_show_everybody_once(staff: FlaskClient, app: Flask, words: str) -> None:
    with app.app_context():
        names = [f"user{n:03}@example.com" for n in range(2 * paging.ROWS + 3)]
        db.session.add_all(User(email=name, password_hash="!") for name in names)
        db.session.commit()
    seen, url = [], f"/staff/users?q={words}" if words else "/staff/users"
    while url:
        page = soup(staff.get(url))
        seen += [row.get_text(strip=True) for row in page.select('[data-testid="users"] .row-link')]
        more = page.select_one('[data-testid="more"]')
        url = str(more["href"]) if more else ""
    assert len(seen) == len(set(seen))
    assert sorted(set(seen) - {STAFF}) == names


def test_the_page_stands_without_polar(staff: FlaskClient, app: Flask) -> None:
    _, public_id = sign_in(app)
    with app.app_context():
        put_subscription(db.session.scalars(db.select(User).filter_by(public_id=public_id)).one())
    page = soup(staff.get(f"/staff/users/{public_id}"))
    assert page.select_one('[data-testid="no-polar"]') is not None
    assert "Pro" in page.select('[data-testid="plan"]')[0].get_text()
    answer = press(staff, f"/staff/users/{public_id}/sync", f"/staff/users/{public_id}")
    assert "Nothing was changed." in answer.text
    assert log(app, "user.synced") == []
    [entry] = log(app, "user.sync_failed")
    assert (entry.actor, entry.subject) == (STAFF, public_id)
    assert entry.details == {"error": "PolarUnavailable"}


def test_differences_are_marked_and_healed(
    polar_staff: FlaskClient, polar_app: Flask, polar: LocalPolar
) -> None:
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    url = f"/staff/users/{public_id}"
    assert agreement(polar_staff, url) == "Both sides agree."

    with polar_app.app_context():
        stale = {"status": "past_due", "observed_at": datetime(2020, 1, 1, tzinfo=UTC)}
        db.session.execute(update(Subscription).values(stale))
        db.session.commit()
    page = soup(polar_staff.get(url))
    marked = [row.get_text(" ", strip=True) for row in page.select(".is-different")]
    assert "Plan differs Free Pro Monthly" in marked
    assert "Status differs past_due active" in marked
    assert "differences" in agreement(polar_staff, url)

    assert "1 difference healed." in press(polar_staff, f"{url}/sync", url).text
    assert agreement(polar_staff, url) == "Both sides agree."
    [entry] = log(polar_app, "user.synced")
    assert (entry.actor, entry.subject, entry.address) == (STAFF, public_id, "127.0.0.1")
    assert "status past_due -> active" in entry.details["differences"][0]


def test_what_was_never_heard_of_is_shown(
    polar_staff: FlaskClient, polar_app: Flask, polar: LocalPolar
) -> None:
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    url = f"/staff/users/{public_id}"
    assert "Polar does not know this user" in agreement(polar_staff, url)
    buy(client, polar, ids["Pro Monthly"])
    with polar_app.app_context():
        db.session.execute(db.delete(Subscription))
        db.session.commit()
    assert "Status differs missing active" in soup(polar_staff.get(url)).get_text(" ", strip=True)


def agreement(client: FlaskClient, url: str) -> str:
    found: Any = soup(client.get(url)).select_one('[data-testid="agreement"]')
    return str(found.get_text(" ", strip=True))


def test_looking_is_logged_once_an_hour(staff: FlaskClient, app: Flask) -> None:
    [ann] = people(app, "ann@example.com")
    for _ in range(3):
        staff.get(f"/staff/users/{ann}")
    [entry] = log(app, "user.viewed")
    assert (entry.actor, entry.subject) == (STAFF, ann)
    staff.get("/staff/users?q=ann")
    assert len(log(app, "user.viewed")) == 1


def test_signed_out_everywhere(staff: FlaskClient, app: Flask) -> None:
    client, public_id = sign_in(app)
    url = f"/staff/users/{public_id}"
    assert "signed out in every browser" in press(staff, f"{url}/sign-out", url).text
    assert client.get("/dashboard").status_code in {302, 303}
    assert [entry.subject for entry in log(app, "user.signed_out")] == [public_id]


def test_the_confirmation_mail_comes_again(staff: FlaskClient, app: Flask) -> None:
    with app.app_context():
        public_id = make_user(str(uuid.uuid4()), "new@example.com", confirmed=False).public_id
    url = f"/staff/users/{public_id}"
    refused = press_while_nothing_can_be_logged(staff, f"{url}/confirmation-mail", url)
    assert (refused, mails(app)) == (500, [])
    assert "on its way" in press(staff, f"{url}/confirmation-mail", url).text
    assert mails(app)[0].recipient == "new@example.com"
    assert len(log(app, "user.confirmation_mailed")) == 1


def test_another_address_at_polar_is_told(staff: FlaskClient, app: Flask) -> None:
    _, public_id = sign_in(app)
    url = f"/staff/users/{public_id}"
    with app.app_context():
        put_customer(db.session.scalars(db.select(User).filter_by(public_id=public_id)).one())
        db.session.commit()
    assert soup(staff.get(url)).select_one('[data-testid="elsewhere"]') is None
    with app.app_context():
        db.session.execute(update(Customer).values(email="grace@example.com"))
        db.session.commit()
    found = soup(staff.get(url)).select_one('[data-testid="elsewhere"]')
    assert found is not None
    assert "There it is grace@example.com. Another account here has that address." in found.text
