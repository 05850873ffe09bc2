"""Find deliveries, read one, apply them again."""

import json
import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from saas.accounts.models import User
from saas.backoffice import letters
from saas.billing.models import Subscription
from saas.extensions import db
from saas.webhooks.models import Delivery
from tests import recordings
from tests.backoffice.conftest import STAFF
from tests.backoffice.staffing import log, press, press_while_nothing_can_be_logged
from tests.billing.holding_data import NOW, put_customer
from tests.browsing import sign_in, soup
from tests.webhooks.door import deliver, event, send

PURCHASE = recordings.scenario("02-paid-monthly-checkout")


def types(client: FlaskClient, query: str = "") -> list[str]:
    page = soup(client.get(f"/staff/deliveries{query}"))
    return [row.get_text(strip=True) for row in page.select('[data-testid="deliveries"] .row-link')]


def fail(client: FlaskClient, webhook_id: str = "") -> None:
    send(client, event("subscription.updated", {"id": 7}), webhook_id=webhook_id)


def rows(app: Flask) -> dict[int, Delivery]:
    with app.app_context():
        return {row.id: row for row in db.session.scalars(select(Delivery))}


def test_filters(staff: FlaskClient, client: FlaskClient, app: Flask) -> None:
    fail(client)
    send(client, event("organization.updated", {}))
    send(client, event("never.heard.of", {"customer_id": "not-an-id-of-polar" * 9}))
    assert types(staff) == ["never.heard.of", "organization.updated", "subscription.updated"]
    assert types(staff, "?outcome=failed") == ["subscription.updated"]
    assert types(staff, "?type=organization.updated") == ["organization.updated"]
    assert types(staff, "?type=organization.updated&outcome=failed") == []
    assert types(staff, "?type=%01&outcome=x&before=99999999999999") == []


def test_by_customer(staff: FlaskClient, client: FlaskClient, app: Flask) -> None:
    _, public_id = sign_in(app)
    with app.app_context():
        ada = db.session.scalars(select(User).filter_by(public_id=public_id)).one()
        customer = put_customer(ada)
        db.session.commit()
    send(client, event("order.created", {"customer_id": customer}))
    send(client, event("customer.updated", {"id": customer}))
    send(client, event("customer.updated", {"id": str(uuid.uuid4())}))
    for words in (customer, public_id, "ada@example.com", "Ada@Example.com"):
        assert types(staff, f"?customer={words}") == ["customer.updated", "order.created"], words
    assert types(staff, "?customer=nobody@example.com") == []
    assert types(staff, f"?customer={uuid.uuid4()}") == []


def test_a_recorded_purchase_names_its_customer(client: FlaskClient, app: Flask) -> None:
    for recording in PURCHASE:
        deliver(client, recording)
    with app.app_context():
        owners = set(db.session.scalars(select(Subscription.customer_id)))
    about = {row.type: row.customer_id for row in rows(app).values()}
    assert {
        about[name] for name in ("customer.created", "order.paid", "subscription.active")
    } == owners


def test_pages_by_key(staff: FlaskClient, client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        db.session.add_all(
            Delivery(webhook_id=str(n), type="order.paid", body=b"{}", headers={})
            for n in range(60)
        )
        db.session.commit()
    seen, url = [], "/staff/deliveries?type=order.paid"
    while url:
        page = soup(staff.get(url))
        seen += [int(str(box["value"])) for box in page.select('input[name="ids"]')]
        more = page.select_one('[data-testid="more"]')
        url = str(more["href"]) if more else ""
    assert seen == sorted(rows(app), reverse=True)


def test_one_delivery_with_everything(staff: FlaskClient, client: FlaskClient, app: Flask) -> None:
    send(client, event("subscription.updated", {"id": 7, "note": "<b>é</b>"}), webhook_id="the-id")
    [row_id] = rows(app)
    page = soup(staff.get(f"/staff/deliveries/{row_id}"))
    body = page.select_one('[data-testid="body"]')
    error = page.select_one('[data-testid="error"]')
    assert body is not None
    assert error is not None
    assert json.loads(body.text)["data"] == {"id": 7, "note": "<b>é</b>"}
    assert body.select("b") == []
    assert "subscription." in error.text
    text = page.get_text()
    assert "Traceback (most recent call last)" in text
    assert "the-id" in text
    [entry] = log(app, "delivery.viewed")
    assert (entry.actor, entry.subject) == (STAFF, f"delivery {row_id}")
    assert staff.get("/staff/deliveries/2147483647").status_code == 404


def test_bodies_of_any_kind_are_shown() -> None:
    assert letters.readable(b'{"a":[1]}') == '{\n  "a": [\n    1\n  ]\n}'
    assert letters.readable(b"\xff\x00no json") == "\\xff\x00no json"
    deep = b"[" * 900 + b"]" * 900
    assert letters.readable(deep).startswith("[")
    assert letters.readable(deep * 100).startswith("[[")
    long = letters.readable(json.dumps({"a": "x" * 200_000}).encode())
    assert len(long) < 101_000
    assert "characters more." in long


@pytest.fixture
def mended(client: FlaskClient, app: Flask) -> list[int]:
    """Three deliveries that failed, and would not fail again."""
    for _ in range(3):
        fail(client)
    good = json.dumps(event("organization.updated", {})).encode()
    with app.app_context():
        db.session.execute(update(Delivery).values(body=good))
        db.session.commit()
    return sorted(rows(app))


def test_replay_one(staff: FlaskClient, app: Flask, mended: list[int]) -> None:
    page = f"/staff/deliveries/{mended[0]}"
    answer = press(staff, "/staff/deliveries/replay", page, ids=mended[0], next=page)
    assert "1 replayed." in answer.text
    assert answer.request.path == page
    assert [rows(app)[i].outcome for i in mended] == ["ignored", "failed", "failed"]
    [entry] = log(app, "delivery.replayed")
    assert entry.subject == f"delivery {mended[0]}"
    assert entry.details == {"deliveries": [mended[0]]}


def test_what_cannot_be_logged_is_not_replayed(
    staff: FlaskClient, app: Flask, mended: list[int]
) -> None:
    url, page = "/staff/deliveries/replay", "/staff/deliveries"
    assert press_while_nothing_can_be_logged(staff, url, page, ids=mended) == 500
    assert [rows(app)[i].outcome for i in mended] == ["failed", "failed", "failed"]


def test_replay_those_that_were_chosen(staff: FlaskClient, app: Flask, mended: list[int]) -> None:
    page = "/staff/deliveries"
    press(staff, f"{page}/replay", page, ids=[*mended[1:], 999, "x", 10**30])
    assert [rows(app)[i].outcome for i in mended] == ["failed", "ignored", "ignored"]
    assert "Choose at least one delivery." in press(staff, f"{page}/replay", page).text


def test_what_fails_again_is_said(staff: FlaskClient, client: FlaskClient, app: Flask) -> None:
    fail(client)
    [row_id] = rows(app)
    page = f"/staff/deliveries/{row_id}"
    answer = press(staff, "/staff/deliveries/replay", page, ids=row_id)
    assert "1 replayed; 1 failed again." in answer.text


def test_waiting_deliveries_are_loud(staff: FlaskClient, client: FlaskClient, app: Flask) -> None:
    fail(client)
    assert "Deliveries wait to be handled" not in staff.get("/staff").text
    with app.app_context():
        db.session.execute(update(Delivery).values(received_at=NOW.replace(year=2020)))
        db.session.commit()
    for page in ("", "/users", "/deliveries", "/log"):
        assert "Deliveries wait to be handled" in staff.get(f"/staff{page}").text


def test_the_overview_counts(staff: FlaskClient, client: FlaskClient, app: Flask) -> None:
    fail(client)
    fail(client)
    with app.app_context():
        first: Any = db.session.scalar(select(Delivery.id).limit(1))
        db.session.execute(
            update(Delivery).where(Delivery.id == first).values(next_attempt_at=None)
        )
        db.session.commit()
    figures = soup(staff.get("/staff")).select('[data-testid="figures"] strong')
    assert [figure.text for figure in figures] == ["2", "1", "0", "0"]
