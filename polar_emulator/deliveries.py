"""Deliveries: sign an event, send it with a real HTTP client, keep what came back, try again."""

from __future__ import annotations

import base64
import logging
import random
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
from standardwebhooks import Webhook

from polar_emulator.clock import stamp
from polar_emulator.events import body_of
from polar_emulator.store import Doc
from polar_emulator.world import World

log = logging.getLogger(__name__)

# All four as recorded from the real server (WEBHOOK_MAX_RETRIES and its neighbours).
MAX_ATTEMPTS = 10
TIMEOUT_SECONDS = 10.0
LONGEST_BACKOFF_SECONDS = 20 * 60
FAILED_EVENTS_BEFORE_SWITCH_OFF = 10

RESPONSE_KEPT = 2000
NAP_SECONDS = 0.25
# Polar makes first attempts 0.3 to 0.8 s apart; here a little is enough to show the order.
SPACING_SECONDS = 0.1


def sign(endpoint: Doc, message_id: str, moment: datetime, body: str) -> str:
    """The `webhook-signature` of a body.

    Endpoints made before 2026-09-08 use the UTF-8 bytes of the whole secret as the key, newer ones
    the decoded part after `whsec_`, as the Standard Webhooks libraries do.
    """
    secret: str = endpoint["secret"]
    if endpoint["uses_standard_webhook_signature"]:
        encoded = secret.removeprefix("whsec_")
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    else:
        key = secret.encode()
    return Webhook(key).sign(message_id, moment, body)


def backoff_seconds(attempts: int) -> float:
    """The wait after a number of failed attempts: doubling, jittered, at most 20 minutes."""
    wait = 2.0 * float(2**attempts)
    if wait * 2 > LONGEST_BACKOFF_SECONDS:
        return LONGEST_BACKOFF_SECONDS * random.uniform(0.5, 1)  # noqa: S311
    return wait * random.uniform(1, 2)  # noqa: S311


def next_due(world: World) -> Doc | None:
    """The delivery to attempt now, oldest first, or None."""
    return world.store.first(
        "webhook_event", {"next_at <=": stamp(world.now())}, order="next_at,seq"
    )


def attempt(world: World, client: httpx.Client, key: str) -> None:
    """Send one delivery once and note the outcome: a failure is an outcome, too.

    The store may be reset meanwhile, so what is gone is left alone.
    """
    with world.store.transaction():
        event = world.store.get("webhook_event", key)
        if event is None:
            return
        endpoint = world.store.get("webhook_endpoint", event["endpoint_id"])
        if endpoint is None or not endpoint["enabled"]:
            world.touch("webhook_event", event, skipped=True, next_at=None)
            return
        body = body_of(world, event)
    status, answer = _send(client, endpoint, key, body)
    with world.store.transaction():
        if world.store.get("webhook_event", key) is not None:
            _note(world, event, status, answer)


def redeliver(world: World, event: Doc) -> None:
    """Send an event again with the same webhook-id, as soon as possible."""
    world.touch("webhook_event", event, next_at=world.stamp(), skipped=False)
    world.wake()


class Courier(threading.Thread):
    """The thread that makes deliveries, one at a time and in order of creation."""

    def __init__(self, world: World) -> None:
        super().__init__(name="polar-deliveries", daemon=True)
        self._world = world
        self._awake = world.add_listener()
        self._stopping = False

    def run(self) -> None:
        """Make deliveries until `stop`."""
        with httpx.Client(
            timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False
        ) as client:
            while not self._stopping:
                self._awake.clear()
                if not self._deliver(client):
                    self._awake.wait(NAP_SECONDS)
                elif not self._world.settings.fast:
                    time.sleep(SPACING_SECONDS)

    def stop(self) -> None:
        """End the thread after the delivery at hand."""
        self._stopping = True
        self._world.wake()
        self.join(timeout=1)

    def _deliver(self, client: httpx.Client) -> bool:
        """Make the next delivery; False when none is due. A mistake of ours must not end the thread."""
        event = next_due(self._world)
        if event is None:
            return False
        try:
            with self._world.delivering:
                attempt(self._world, client, event["id"])
        except Exception:
            log.exception("delivery %s failed", event["id"])
            self._give_up(event["id"])
        return True

    def _give_up(self, key: str) -> None:
        with self._world.store.transaction():
            event = self._world.store.get("webhook_event", key)
            if event is not None:
                self._world.touch("webhook_event", event, skipped=True, next_at=None)


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
        "webhook-signature": sign(endpoint, message_id, moment, body),
    }
    try:
        response = client.post(endpoint["url"], content=body.encode(), headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return None, f"{type(error).__name__}: {error}"
    return response.status_code, response.text[:RESPONSE_KEPT]


def _note(world: World, event: Doc, status: int | None, answer: str) -> None:
    succeeded = status is not None and 200 <= status < 300
    delivery: Doc = {
        "id": world.new_id(),
        "created_at": world.stamp(),
        "modified_at": None,
        "event_id": event["id"],
        "endpoint_id": event["endpoint_id"],
        "type": event["type"],
        "succeeded": succeeded,
        "http_code": status,
        "response": answer,
    }
    world.store.put("webhook_delivery", delivery)
    attempts = event["attempts"] + 1
    changes = {"attempts": attempts, "last_http_code": status, "next_at": None}
    if succeeded:
        changes["succeeded"] = True
    elif attempts >= MAX_ATTEMPTS:
        changes["succeeded"] = bool(event["succeeded"])
    else:
        wait = timedelta(seconds=backoff_seconds(attempts) * world.settings.retry_scale)
        changes["next_at"] = stamp(world.now() + wait)
    world.touch("webhook_event", event, **changes)
    if not succeeded and attempts >= MAX_ATTEMPTS:
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
