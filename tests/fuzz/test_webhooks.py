"""Signed nonsense at the webhook door: kept and flagged, never a 500, and no plan goes wrong."""

import copy
import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from saas.accounts.models import User
from saas.billing import entitlements
from saas.billing.models import Customer, Grant, Order, Subscription
from saas.extensions import db
from saas.webhooks.handlers import TABLE
from saas.webhooks.models import Delivery
from tests import recordings
from tests.billing.holding_data import put_subscription
from tests.browsing import sign_in
from tests.database import empty_database
from tests.fuzz.effort import cases
from tests.fuzz.inputs import json_values, words
from tests.webhooks.door import URL, signed

EVENTS = [each.event for each in recordings.everything()]
OUTCOMES = {"applied", "ignored", "unknown", "failed"}
ODD = st.one_of(
    json_values,
    words,
    st.sampled_from(
        [
            float("nan"),
            float("inf"),
            10**400,
            -(2**63),
            2**63,
            1e308,
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59-23:59",
            "2026-02-30T00:00:00Z",
            "2026-11-20",
            "20261120T000000+9999",
            "x" * 100_000,
            "\ud800",
            "a\x00b",
            [],
            {},
            [[[[[[]]]]]],
            {"a\x00b": "\x00"},
            {"\ud800": 1},
        ]
    ),
)

BODIES = st.one_of(
    st.binary(max_size=200), st.text(max_size=50).map(lambda text: text.encode("utf-8", "replace"))
)
LETTERS = st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n")
HEADER = st.text(LETTERS, max_size=400)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Each failure is logged with its traceback; ten thousand of them say no more than one."""
    logger = logging.getLogger("saas")
    before, logger.level = logger.level, logging.CRITICAL
    yield
    logger.level = before


@pytest.fixture
def ada(app: Flask) -> FlaskClient:
    """A customer with a plan, whom nobody's nonsense is about."""
    client, _ = sign_in(app)
    with app.app_context():
        put_subscription(db.session.scalars(select(User)).one())
        db.session.commit()
    return client


def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A recorded event with one to three places changed, removed or added."""
    event = copy.deepcopy(draw(st.sampled_from(EVENTS)))
    for _ in range(draw(st.integers(1, 3))):
        place: Any = event
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            inner = place[key]
            if isinstance(inner, dict | list) and inner and draw(st.integers(0, 4)):
                place = inner
                continue
            if isinstance(place, dict) and draw(st.integers(0, 3)) == 0:
                del place[key]
            else:
                place[key] = copy.deepcopy(draw(ODD))  # Two places must not share it.
            break
    return event


@st.composite
def events(draw: st.DrawFn) -> Any:
    """Draw a changed recording, a known type with any data, or anything at all."""
    kind = draw(st.sampled_from(["mutated", "mutated", "mutated", "typed", "any"]))
    if kind == "mutated":
        return mutated(draw)
    if kind == "typed":
        moment = draw(st.one_of(st.just("2026-11-20T10:00:00Z"), ODD))
        return {
            "type": draw(st.sampled_from(sorted(TABLE))),
            "timestamp": moment,
            "data": draw(ODD),
        }
    return draw(json_values)


def test_signed_nonsense_is_kept_and_flagged(app: Flask, ada: FlaskClient) -> None:
    seen: dict[str, int] = {}

    @cases(100, share=0.1)
    @given(event=events())
    def knock(event: Any) -> None:
        body = json.dumps(event).encode()
        answer = app.test_client().post(URL, data=body, headers=signed(body))
        assert answer.status_code == 202, (answer.status_code, answer.text, body[:2000])
        with app.app_context():
            row = db.session.scalars(select(Delivery).order_by(Delivery.id.desc()).limit(1)).one()
            seen[row.outcome] = seen.get(row.outcome, 0) + 1
            assert row.body == body
            assert row.outcome in OUTCOMES, body[:2000]
            if row.outcome == "failed":
                assert row.error
                assert row.next_attempt_at is not None
            db.session.delete(row)
            db.session.commit()

    knock()
    assert seen["failed"]
    assert seen["applied"]
    assert ada.get("/dashboard").status_code == 200
    with app.app_context():
        user = db.session.scalars(select(User)).one()
        assert entitlements.for_user(user).plan.key == "pro"
        for model in (Customer, Subscription, Order, Grant):
            db.session.scalars(select(model)).all()  # What is kept can be read back.


def test_bodies_that_are_no_json(app: Flask, client: FlaskClient) -> None:
    @cases(40, share=0.05)
    @given(body=BODIES)
    def knock(body: bytes) -> None:
        try:
            body.decode()
        except UnicodeDecodeError:
            headers = signed(b"x")
        else:
            headers = signed(body)
        assert client.post(URL, data=body, headers=headers).status_code in {202, 400, 403}

    knock()


@pytest.mark.parametrize("depth", [100, 900, 5_000, 200_000])
@pytest.mark.parametrize("shape", ["[", '{"data":'])
def test_deep_nesting(app: Flask, client: FlaskClient, depth: int, shape: str) -> None:
    body = (shape * depth + "1" + {"[": "]", '{"data":': "}"}[shape] * depth).encode()
    assert client.post(URL, data=body, headers=signed(body)).status_code in {202, 400, 413}


@pytest.mark.parametrize("place", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_nonsense_in_the_headers(app: Flask, client: FlaskClient, place: str) -> None:
    @cases(40, share=0.05)
    @given(value=HEADER)
    def knock(value: str) -> None:
        headers = signed(b"{}") | {place: value}
        assert client.post(URL, data=b"{}", headers=headers).status_code in {202, 400, 403}

    knock()


def test_after_nonsense_the_truth_is_taken(app: Flask, client: FlaskClient) -> None:
    """Whatever was applied of a changed history, sending the true one in full sets the plan right."""
    history = recordings.scenario("02-paid-monthly-checkout")
    wanted = _outcome(app, client, [each.event for each in history])

    @cases(12, share=0.01)
    @given(data=st.data())
    def live(data: st.DataObject) -> None:
        with app.app_context():
            empty_database()
        wrong = [
            data.draw(st.composite(lambda draw: mutated_of(draw, history))()) for _ in range(4)
        ]
        for event in wrong:
            _send(client, event)
        assert _outcome(app, client, [each.event for each in history]) == wanted

    live()


def mutated_of(draw: st.DrawFn, history: list[recordings.Recording]) -> dict[str, Any]:
    """One event of a history with the value of one field changed, told a moment before the true one.

    Of two snapshots of the same moment none is newer, and what they say decides.
    """
    event = copy.deepcopy(draw(st.sampled_from(history)).event)
    told = datetime.fromisoformat(event["timestamp"]) - timedelta(microseconds=1)
    event["timestamp"] = told.isoformat()
    field = draw(st.sampled_from(sorted(set(event["data"]) - {"id", "modified_at", "created_at"})))
    event["data"][field] = copy.deepcopy(draw(ODD))
    return event


def _send(client: FlaskClient, event: Any) -> None:
    body = json.dumps(event).encode()
    assert client.post(URL, data=body, headers=signed(body)).status_code == 202


def _outcome(app: Flask, client: FlaskClient, events: list[Any]) -> list[Any]:
    for event in events:
        _send(client, event)
    with app.app_context():
        rows = db.session.scalars(select(Subscription).order_by(Subscription.polar_id)).all()
        return [(row.polar_id, row.status, row.product_id, row.current_period_end) for row in rows]
