"""The webhook door: who gets in, what they are told, and what is kept."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from polar.v2026_10.webhooks import PolarWebhookVerificationError, validate_event
from sqlalchemy import func, select

from saas.extensions import db
from saas.webhooks.models import Delivery
from tests import recordings
from tests.billing.catalogue_data import product
from tests.recordings import SECRET
from tests.webhooks.door import URL, deliver, event, send, signed

PRODUCT = event("product.updated", product("Pro", metadata={"deep": "NESTED"}))
BODY = json.dumps(event("organization.updated", {})).encode()


def kept(app: Flask) -> list[Delivery]:
    with app.app_context():
        return list(db.session.scalars(select(Delivery).order_by(Delivery.id)))


# The cases below are signed when this file is read; a slow run may reach them minutes later.
READ_AT = datetime.now(UTC)


def without(name: str) -> dict[str, str]:
    headers = signed(BODY)
    del headers[name]
    return headers


REFUSALS = {
    "no signature": (BODY, {"content-type": "application/json"}, 403),
    "no id": (BODY, without("webhook-id"), 403),
    "no timestamp": (BODY, without("webhook-timestamp"), 403),
    "other key": (BODY, signed(BODY, key=b"another secret"), 403),
    "other body": (BODY + b" ", signed(BODY), 403),
    "stale": (BODY, signed(BODY, at=datetime.now(UTC) - timedelta(minutes=6)), 403),
    "from the future": (BODY, signed(BODY, at=datetime.now(UTC) + timedelta(hours=6)), 403),
    "timestamp no number": (BODY, signed(BODY) | {"webhook-timestamp": "soon"}, 403),
    "timestamp not finite": (BODY, signed(BODY) | {"webhook-timestamp": "nan"}, 403),
    "timestamp too large": (BODY, signed(BODY) | {"webhook-timestamp": "1e300"}, 403),
    "malformed signature": (BODY, signed(BODY) | {"webhook-signature": "v1"}, 403),
    "signature not base64": (BODY, signed(BODY) | {"webhook-signature": "v1,a"}, 403),
    "unknown version": (BODY, signed(BODY) | {"webhook-signature": "v9,AAAA"}, 403),
    "no body": (b"", {"content-type": "application/json"}, 403),
    "not UTF-8": (b"\xff\xfe{}", signed(b"{}"), 403),
    "id too long": (BODY, signed(BODY, webhook_id="x" * 300), 400),
}


@pytest.mark.parametrize(("body", "headers", "status"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refusal_is_one_sentence_and_leaves_no_row(
    app: Flask, client: FlaskClient, body: bytes, headers: dict[str, str], status: int
) -> None:
    with time_machine.travel(READ_AT, tick=False):
        response = client.post(URL, data=body, headers=headers)
    assert response.status_code == status
    assert response.mimetype == "text/plain"
    assert response.text.count(".") == 1
    assert len(response.text) < 100
    assert kept(app) == []


def test_ten_megabytes_are_refused(app: Flask, client: FlaskClient) -> None:
    body = b'"' + b"x" * 10 * 1024 * 1024 + b'"'
    assert client.post(URL, data=body, headers=signed(body)).status_code == 413
    assert kept(app) == []


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_post(client: FlaskClient, method: str) -> None:
    assert getattr(client, method)(URL).status_code == 405


def test_a_slash_behind_is_not_redirected(client: FlaskClient) -> None:
    assert client.post(URL + "/").status_code == 404


def test_no_secret_means_nobody_gets_in(make_app: Any, clean: None) -> None:
    app = make_app(polar_webhook_secrets=())
    response = app.test_client().post(URL, data=BODY, headers=signed(BODY, key=b"x"))
    assert response.status_code == 403


def test_words_of_a_comment_are_no_secrets(make_app: Any, clean: None) -> None:
    client = make_app(polar_webhook_secrets=(SECRET, "#", "from", "the", "dashboard")).test_client()
    for key in (b"#", b"the", b"dashboard"):
        assert send(client, event("organization.updated", {}), key=key).status_code == 403
    assert send(client, event("organization.updated", {})).status_code == 202


@pytest.mark.parametrize(
    "key",
    [SECRET.encode(), base64.b64decode(SECRET.removeprefix("whsec_") + "=")],
    ids=["bytes of the whole secret", "decoded part, since 2026-09-08"],
)
def test_both_keys_of_a_secret_are_good(app: Flask, client: FlaskClient, key: bytes) -> None:
    assert send(client, event("organization.updated", {}), key=key).status_code == 202
    assert [row.outcome for row in kept(app)] == ["ignored"]


def test_secrets_can_be_rotated(make_app: Any, clean: None) -> None:
    client = make_app(
        polar_webhook_secrets=("whsec_new-secret-new-secret-new-secret", SECRET)
    ).test_client()
    for key in (b"whsec_new-secret-new-secret-new-secret", SECRET.encode()):
        assert send(client, event("organization.updated", {}), key=key).status_code == 202


def test_unknown_event_is_kept_and_says_so(app: Flask, client: FlaskClient) -> None:
    assert send(client, event("spaceship.landed", {})).status_code == 202
    [row] = kept(app)
    assert (row.type, row.outcome, row.attempts) == ("spaceship.landed", "unknown", 1)


@pytest.mark.parametrize(
    "nonsense",
    [
        [],
        None,
        1,
        "text",
        {},
        {"type": None},
        {"type": ["subscription.updated"]},
        {"type": {}},
        {"type": "a\x00b"},
        {"type": "\ud800"},
        {"type": "x" * 300},
    ],
    ids=repr,
)
def test_signed_json_of_another_shape_is_kept_as_unreadable(
    app: Flask, client: FlaskClient, nonsense: object
) -> None:
    assert send(client, nonsense).status_code == 202
    assert [(row.type, row.outcome) for row in kept(app)] == [("(unreadable)", "unknown")]


@pytest.mark.parametrize(
    "body",
    [b"", b"{type:", b"hello", b"[" * 100_000, b'{"type":' * 50_000, b"1" * 5000],
    ids=["empty", "not JSON", "text", "too deep", "objects too deep", "number too long"],
)
def test_signed_body_that_is_no_json_is_kept_as_unreadable(
    app: Flask, client: FlaskClient, body: bytes
) -> None:
    """An answer that is not 2xx would count against our endpoint, and nothing would be there to look at."""
    headers = signed(body)
    for _ in range(2):
        assert client.post(URL, data=body, headers=headers).status_code == 202
    [row] = kept(app)
    assert (row.type, row.outcome, row.attempts) == ("(unreadable)", "unknown", 1)
    assert row.body == body
    shown = app.test_cli_runner().invoke(args=["webhooks", "show", str(row.id)])
    assert (shown.exit_code, shown.exception) == (0, None)
    again = app.test_cli_runner().invoke(args=["webhooks", "replay", str(row.id)])
    assert again.output == f"{row.id}: unknown\n"


@pytest.mark.parametrize("depth", [100, 300, 900])
def test_nested_data_never_breaks_the_door(app: Flask, client: FlaskClient, depth: int) -> None:
    """What Python can read it may not be able to write again."""
    nested = b'{"a":' * depth + b"1" + b"}" * depth
    data = json.dumps(PRODUCT).encode().replace(b'"NESTED"', nested)
    assert client.post(URL, data=data, headers=signed(data)).status_code == 202
    [row] = kept(app)
    assert row.outcome in {"applied", "failed", "unknown"}
    shown = app.test_cli_runner().invoke(args=["webhooks", "show", str(row.id)])
    assert (shown.exit_code, shown.exception) == (0, None)


def test_unreadable_data_fails_in_the_inbox_not_at_the_door(
    app: Flask, client: FlaskClient
) -> None:
    assert send(client, event("subscription.updated", {"id": 7})).status_code == 202
    [row] = kept(app)
    assert row.outcome == "failed"
    assert row.attempts == 1
    assert "subscription.id" in (row.error or "") or "created_at" in (row.error or "")
    assert row.next_attempt_at is not None


def test_unknown_status_fails_loudly_and_holds_up_nothing(app: Flask, client: FlaskClient) -> None:
    recording = next(
        each
        for each in recordings.scenario("02-paid-monthly-checkout")
        if each.event["type"] == "subscription.created"
    )
    changed = recording.event
    changed["data"]["status"] = "on_the_moon"
    assert send(client, changed).status_code == 202
    assert send(client, recording.event).status_code == 202
    failed, applied = kept(app)
    assert (failed.outcome, applied.outcome) == ("failed", "applied")
    assert "unknown value 'on_the_moon'" in (failed.error or "")


def test_repetition_is_accepted_and_changes_nothing(app: Flask, client: FlaskClient) -> None:
    recording = recordings.scenario("02-paid-monthly-checkout")[6]
    for _ in range(3):
        assert deliver(client, recording).status_code == 202
    [row] = kept(app)
    assert (row.attempts, row.outcome) == (1, "applied")
    assert row.body.decode() == recording.body
    assert row.headers["webhook-signature"] == recording.headers["webhook-signature"]


def test_the_sdk_agrees_on_the_signature(app: Flask, client: FlaskClient) -> None:
    headers = signed(BODY)
    assert client.post(URL, data=BODY, headers=headers).status_code == 202
    forged = headers | {"webhook-signature": "v1,AAAA"}
    with pytest.raises(PolarWebhookVerificationError):
        validate_event(BODY, forged, SECRET)
    assert client.post(URL, data=BODY, headers=forged).status_code == 403


def test_no_session_cookie_is_set(client: FlaskClient) -> None:
    response = send(client, event("organization.updated", {}))
    assert "Set-Cookie" not in response.headers


def test_every_event_the_sdk_knows_has_a_line(app: Flask) -> None:
    from polar.v2026_10 import webhooks

    from saas.webhooks.handlers import TABLE

    assert set(TABLE) == set(webhooks._KNOWN_EVENT_TYPES)


def test_count_of_rows_is_count_of_ids(app: Flask, client: FlaskClient) -> None:
    for recording in recordings.scenario("03-cancel-at-period-end-then-uncancel"):
        deliver(client, recording)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Delivery)) == 6
