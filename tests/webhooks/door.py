"""Knock on the webhook door: with recorded deliveries at their own time, or with our own signed ones."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import time_machine
from flask.testing import FlaskClient
from standardwebhooks import Webhook
from werkzeug.test import TestResponse

from tests.recordings import SECRET, Recording

URL = "/webhooks/polar"


def deliver(client: FlaskClient, recording: Recording) -> TestResponse:
    """Send a recorded delivery, its signature as it came, with the clock at the time it was signed."""
    with time_machine.travel(recording.signed_at, tick=False):
        return client.post(URL, data=recording.body.encode(), headers=recording.headers)


def signed(
    body: bytes, *, key: bytes = SECRET.encode(), webhook_id: str = "", at: datetime | None = None
) -> dict[str, str]:
    """Return the headers of a delivery signed now, or ``at`` another time."""
    webhook_id = webhook_id or str(uuid.uuid4())
    moment = at or datetime.now(UTC)
    return {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(key).sign(webhook_id, moment, body.decode()),
    }


def send(client: FlaskClient, event: Any, **signing: Any) -> TestResponse:
    """Send an event of our own, signed."""
    body = json.dumps(event).encode()
    return client.post(URL, data=body, headers=signed(body, **signing))


def event(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return an event that happens now."""
    return {"type": kind, "timestamp": datetime.now(UTC).isoformat(), "data": data}
