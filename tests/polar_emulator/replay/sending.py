"""Deliveries that fail, are tried again, redirected, too late, repeated, and given up."""

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx

from polar_emulator import deliveries
from polar_emulator.store import Doc
from tests.polar_emulator import recorded
from tests.polar_emulator.receiving import TOO_SLOW
from tests.polar_emulator.replay.stage import Stage, covers

PATIENCE_SECONDS = 0.2
RETRIED = "33-delivery-retries-500-three-times"
REDIRECTED = "34-delivery-redirect-302-is-a-failure"
LATE = "35-delivery-timeout-then-ok"
ACCEPTED = "36-delivery-202-is-a-success"
REPEATED = "37-redelivery-through-api"
GIVEN_UP = "38-endpoint-disabled-after-10-failed-events"
# How long a recorded delivery took at most to be on its way when it was due, its time-out included.
RECORDED_LAG_SECONDS = 12.0


class Post:
    """Makes the deliveries of a stage, a second of its clock at a time, and keeps what went when."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.gone: list[tuple[datetime, str, int, Doc]] = []
        stage.skip()
        body = {**_endpoint(), "url": stage.receiver.url}
        stage.call("POST", "/v1/webhooks/endpoints", body, 201)

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        with httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False) as client:
            for _ in range(seconds):
                self._make(client)
                self.stage.world.move_to(self.stage.world.now() + timedelta(seconds=1))
            self._make(client)

    def tell(self, name: str, *answers: int) -> None:
        """Compare what went since the last look with a recorded scenario."""
        was = recorded.deliveries(name)
        rows = [(each["headers"]["webhook-id"], json.loads(each["body"])) for each in was]
        found = []
        ours = [(key, event) for _, key, _, event in self.gone]
        if _pattern(rows) != _pattern(ours):
            found.append(f"{_pattern(rows)} became {_pattern(ours)}")
        statuses = [status for _, _, status, _ in self.gone]
        wanted = list(answers) or [each["answered"] for each in was]
        if statuses != wanted:
            found.append(f"answers {wanted} became {statuses}")
        for (_, old), (_, new) in zip(rows, ours, strict=False):
            found += self.stage.like.differences(old, new, old["type"])
        arrivals = [
            (each["headers"]["webhook-id"], datetime.fromisoformat(each["arrived_at"]))
            for each in was
        ]
        found += _waits(arrivals, RECORDED_LAG_SECONDS)
        found += _waits([(key, moment) for moment, key, _, _ in self.gone], 2.0)
        self.stage.compared[name] = found
        self.gone.clear()

    def _make(self, client: httpx.Client) -> None:
        world = self.stage.world
        for event in deliveries.due(world, 25):
            outcome = deliveries.send(world, client, event["id"])
            if outcome.sent:
                body = json.loads(deliveries.body_of(world, event))
                self.gone.append((world.now(), event["id"], outcome.status or 0, body))
            deliveries.note(world, [outcome])


@covers(
    RETRIED,
    REDIRECTED,
    LATE,
    ACCEPTED,
    REPEATED,
    "webhooks-endpoints-list",
    "webhooks-redeliver",
    "webhooks-deliveries-list",
)
def tried_again(stage: Stage) -> None:
    post = Post(stage)
    stage.send("webhooks-endpoints-list")
    stage.receiver.answers = [500, 200, 500, 500]
    _describe(stage, "Team Monthly", "retry me")
    post.wait(1)
    stage.make_as(recorded.scenario(RETRIED)[1])
    post.wait(60)
    post.tell(RETRIED)
    for name, answer, told in (
        (REDIRECTED, 302, (302, 200)),
        (LATE, TOO_SLOW, (0, 200)),
        (ACCEPTED, 202, (202,)),
    ):
        stage.receiver.answers = [answer]
        event = recorded.scenario(name)[0]["data"]
        _describe(stage, event["name"], event["description"])
        post.wait(10)
        post.tell(name, *told)
    stage.like.ours_of[recorded.deliveries(ACCEPTED)[0]["headers"]["webhook-id"]] = _last(stage)
    stage.send("webhooks-redeliver")
    post.wait(1)
    post.tell(REPEATED)
    stage.send("webhooks-deliveries-list")


@covers(GIVEN_UP, "webhooks-endpoint-get-disabled")
def given_up(stage: Stage) -> None:
    """Recorded with one attempt for each event; here each has its ten, and the first ones are compared."""
    stage.make_as(recorded.scenario(RETRIED)[1])
    post = Post(stage)
    stage.receiver.answers = [500] * 200
    events = recorded.scenario(GIVEN_UP)
    for event in events:
        _describe(stage, "Later event", event["data"]["description"])
        post.wait(1)
    seen: set[str] = set()
    first = [row for row in post.gone if not (row[1] in seen or seen.add(row[1]))]  # type: ignore[func-returns-value]
    post.gone = first
    post.tell(GIVEN_UP)
    post.wait(60 * 60)
    endpoint = stage.call("GET", "/v1/webhooks/endpoints")["items"][0]
    path = f"/v1/webhooks/endpoints/{endpoint['id']}"
    stage.send("webhooks-endpoint-get-disabled", path)


@covers(
    "webhooks-endpoint-create",
    "webhooks-endpoint-delete",
    "422-webhooks-endpoint-create-private-ip",
    "422-webhooks-endpoint-create-http-localhost",
)
def endpoints(stage: Stage) -> None:
    made = stage.send("webhooks-endpoint-create")
    stage.send("webhooks-endpoint-delete", f"/v1/webhooks/endpoints/{made['id']}")
    with _strictly(stage):
        stage.each(
            "422-webhooks-endpoint-create-private-ip",
            "422-webhooks-endpoint-create-http-localhost",
        )


def _endpoint() -> Doc:
    """The endpoint that the recordings were made with."""
    was = recorded.answer("webhooks-endpoints-list")["answer"]["items"][0]
    return {key: was[key] for key in ("name", "format", "events")}


def _describe(stage: Stage, name: str, text: str) -> None:
    """Bring an event about."""
    stage.call("PATCH", f"/v1/products/{stage.product(name)}", {"description": text})
    stage.settle()


def _last(stage: Stage) -> str:
    found = stage.world.store.first("webhook_event", {}, order="-seq")
    assert found
    return str(found["id"])


def _pattern(rows: list[tuple[str, Doc]]) -> list[tuple[int, str]]:
    """Which event came each time: its place among all, and its type."""
    keys = list(dict.fromkeys(key for key, _ in rows))
    return [(keys.index(key), event["type"]) for key, event in rows]


def _waits(rows: list[tuple[str, datetime]], lag: float) -> list[str]:
    """Attempts that came sooner or later after the one before than the facts say."""
    found, last = [], {}
    for key, moment in rows:
        before, attempts = last.get(key, (None, 0))
        wait = (moment - before).total_seconds() if before else 0
        least = 2 * 2**attempts
        if before and not least <= wait <= 2 * least + lag:
            found.append(f"attempt {attempts + 1} came after {wait:.1f} s")
        last[key] = (moment, attempts + 1)
    return found


@contextlib.contextmanager
def _strictly(stage: Stage) -> Iterator[None]:
    """As when it was started with --strict-webhook-urls."""
    kept = stage.world.settings
    stage.world.settings = dataclasses.replace(kept, strict_webhook_urls=True)
    try:
        yield
    finally:
        stage.world.settings = kept
