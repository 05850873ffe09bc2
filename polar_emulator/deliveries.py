"""Deliveries: sign an event, send it with a real HTTP client, keep what came back, try again.

The thread that does so is in `courier`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
from standardwebhooks import Webhook

from polar_emulator.clock import stamp
from polar_emulator.events import body_of
from polar_emulator.settings import signing_key
from polar_emulator.store import Doc
from polar_emulator.world import World

# All four as recorded from the real server (WEBHOOK_MAX_RETRIES and its neighbours).
MAX_ATTEMPTS = 10
TIMEOUT_SECONDS = 10.0
LONGEST_BACKOFF_SECONDS = 20 * 60
FAILED_EVENTS_BEFORE_SWITCH_OFF = 10

RESPONSE_KEPT = 2000

# The generator of the module belongs to whoever seeds it, as tests do.
_dice = secrets.SystemRandom()


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt: the webhook event, the status (None without an answer), the answer.

    `sent` is false for an event that nobody is to get any more.
    """

    key: str
    status: int | None = None
    answer: str = ""
    sent: bool = True

    @property
    def succeeded(self) -> bool:
        """Whether the receiver took it: any 2xx."""
        return self.status is not None and 200 <= self.status < 300


def sign(endpoint: Doc, message_id: str, moment: datetime, body: str) -> str:
    """The `webhook-signature` of a body. ValueError when the secret is no key."""
    key = signing_key(endpoint["secret"], standard=endpoint["uses_standard_webhook_signature"])
    return Webhook(key).sign(message_id, moment, body)


def backoff_seconds(attempts: int) -> float:
    """The wait after a number of failed attempts: doubling, jittered, at most 20 minutes."""
    wait = 2.0 * float(2**attempts)
    if wait * 2 > LONGEST_BACKOFF_SECONDS:
        return LONGEST_BACKOFF_SECONDS * _dice.uniform(0.5, 1)
    return wait * _dice.uniform(1, 2)


def due(world: World, limit: int = 1) -> list[Doc]:
    """The deliveries to attempt now, oldest first; the `reorder` fault turns that around."""
    now = world.now() - timedelta(seconds=world.faults.delay_webhooks_seconds)
    order = "-next_at,-seq" if world.faults.reorder_webhooks else "next_at,seq"
    where = {"next_at <=": stamp(now)}
    return world.store.find("webhook_event", where, order=order, limit=limit)


def send(world: World, client: httpx.Client, key: str) -> Outcome:
    """Send one delivery once. The store may be reset meanwhile, so what is gone is left alone."""
    with world.store.transaction():
        event = world.store.get("webhook_event", key)
        if event is None:
            return Outcome(key, sent=False)
        endpoint = world.store.get("webhook_endpoint", event["endpoint_id"])
        if endpoint is None or not endpoint["enabled"]:
            world.touch("webhook_event", event, skipped=True, next_at=None)
            return Outcome(key, sent=False)
        body = body_of(world, event)
    status, answer = _send(client, endpoint, key, body)
    return Outcome(key, status, answer)


def note(world: World, outcomes: Iterable[Outcome]) -> None:
    """Keep what came of attempts in one transaction: a failure is an outcome, too."""
    with world.store.transaction():
        for outcome in outcomes:
            event = world.store.get("webhook_event", outcome.key) if outcome.sent else None
            if event is not None:
                _note(world, event, outcome)


def redeliver(world: World, event: Doc) -> None:
    """Send an event again with the same webhook-id, as soon as possible."""
    world.touch("webhook_event", event, next_at=world.stamp(), skipped=False)
    world.wake()


def _send(
    client: httpx.Client, endpoint: Doc, message_id: str, body: str
) -> tuple[int | None, str]:
    # The real time, also when the clock has been moved: receivers refuse old and future stamps.
    moment = datetime.now(UTC)
    headers = {
        "user-agent": "polar.sh webhooks",
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
    }
    try:
        headers["webhook-signature"] = sign(endpoint, message_id, moment, body)
        response = client.post(endpoint["url"], content=body.encode(), headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return None, f"{type(error).__name__}: {error}"
    return response.status_code, response.text[:RESPONSE_KEPT]


def _note(world: World, event: Doc, outcome: Outcome) -> None:
    delivery: Doc = {
        "id": world.new_id(),
        "created_at": world.stamp(),
        "modified_at": None,
        "event_id": event["id"],
        "endpoint_id": event["endpoint_id"],
        "type": event["type"],
        "succeeded": outcome.succeeded,
        "http_code": outcome.status,
        "response": outcome.answer,
    }
    world.store.put("webhook_delivery", delivery)
    attempts = event["attempts"] + 1
    changes = {"attempts": attempts, "last_http_code": outcome.status, "next_at": None}
    if outcome.succeeded:
        changes["succeeded"] = True
    elif attempts >= MAX_ATTEMPTS:
        changes["succeeded"] = bool(event["succeeded"])
    else:
        wait = timedelta(seconds=backoff_seconds(attempts) * world.settings.retry_scale)
        changes["next_at"] = stamp(world.now() + wait)
    world.touch("webhook_event", event, **changes)
    if not outcome.succeeded and attempts >= MAX_ATTEMPTS:
        _switch_off_when_hopeless(world, event["endpoint_id"])


def _switch_off_when_hopeless(world: World, endpoint_id: str) -> None:
    finished = world.store.find(
        "webhook_event",
        {"endpoint_id": endpoint_id, "succeeded !=": None},
        order="-seq",
        limit=FAILED_EVENTS_BEFORE_SWITCH_OFF,
    )
    if len(finished) < FAILED_EVENTS_BEFORE_SWITCH_OFF or any(e["succeeded"] for e in finished):
        return
    world.touch(
        "webhook_endpoint", world.store.need("webhook_endpoint", endpoint_id), enabled=False
    )
    for event in world.store.find(
        "webhook_event", {"endpoint_id": endpoint_id, "next_at !=": None}
    ):
        world.touch("webhook_event", event, skipped=True, next_at=None)
