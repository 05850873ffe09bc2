"""A pytest plugin: a local Polar for your tests, and deliveries that are signed as Polar's.

Switch it on with `-p polar_emulator.pytest_plugin` or, in the conftest.py at the top,
`pytest_plugins = ["polar_emulator.pytest_plugin"]`. The README has three examples.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from polar_emulator import testing
from polar_emulator.clock import stamp
from polar_emulator.deliveries import sign
from polar_emulator.events import API_VERSION
from polar_emulator.testing import LocalPolar

SECRET = "whsec_for_tests"  # noqa: S105 - your tests know it as well


@dataclass(frozen=True)
class SignedDelivery:
    """A webhook delivery to post to your own application: `headers`, `body`, and the parsed `event`."""

    headers: dict[str, str]
    body: bytes
    event: dict[str, Any]


@pytest.fixture(scope="session")
def polar_emulator_options() -> dict[str, Any]:
    """Options of `polar_emulator.testing.start`, such as `webhook_url`. Override this in your conftest.py.

    `webhook_secret` is also what `signed_delivery` signs with.
    """
    return {}


@pytest.fixture(scope="session")
def polar_emulator_process(polar_emulator_options: dict[str, Any]) -> Iterator[LocalPolar]:
    """One local Polar for the whole session, on a free port.

    A folder of tests that needs another one overrides this: pytest keeps what it has for a session.
    """
    with testing.start(**{"webhook_secret": SECRET, **polar_emulator_options}) as polar:
        yield polar


@pytest.fixture
def polar_emulator(polar_emulator_process: LocalPolar) -> LocalPolar:
    """The local Polar in its demo state: `url` and `token` are for the SDK."""
    polar_emulator_process.reset()
    return polar_emulator_process


@pytest.fixture
def advance(polar_emulator: LocalPolar) -> Callable[..., None]:
    """Move the clock, and return when all that it brings has been delivered.

    `advance(days=31)`, `advance(months=1)`, `advance(until="2027-01-31")`, `advance(next=True)`.
    """

    def move(**step: Any) -> None:
        polar_emulator.advance(**step)
        polar_emulator.wait_idle()

    return move


@pytest.fixture
def signed_delivery(
    request: pytest.FixtureRequest, polar_emulator_options: dict[str, Any]
) -> Callable[..., SignedDelivery]:
    """Make a delivery: `signed_delivery("order.paid")` is the youngest of that type that happened here.

    With `data` the event carries that instead, and nothing has to have happened. `secret` and
    `standard` (the signing scheme of secrets made since September 2026) say how it is signed.
    """

    def make(
        event_type: str,
        data: dict[str, Any] | None = None,
        *,
        secret: str = polar_emulator_options.get("webhook_secret", SECRET),
        standard: bool = polar_emulator_options.get("webhook_standard", False),
    ) -> SignedDelivery:
        now = datetime.now(UTC)
        event = {"type": event_type, "timestamp": stamp(now), "api_version": API_VERSION}
        if data is None:
            polar: LocalPolar = request.getfixturevalue("polar_emulator_process")
            event |= _youngest(polar, event_type)
        else:
            event["data"] = data  # type: ignore[assignment]
        body = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
        return SignedDelivery(_headers(body, now, secret, standard=standard), body.encode(), event)

    return make


def _youngest(polar: LocalPolar, event_type: str) -> dict[str, Any]:
    polar.wait_idle()
    found = [
        event for event in polar.control("GET", "/events")["items"] if event["type"] == event_type
    ]
    if not found:
        pytest.fail(f"No {event_type} has happened in the local Polar, so there is none to sign.")
    return polar.control("GET", f"/events/{found[-1]['id']}")


def _headers(body: str, now: datetime, secret: str, *, standard: bool) -> dict[str, str]:
    key = str(uuid4())
    endpoint = {"secret": secret, "uses_standard_webhook_signature": standard}
    return {
        "content-type": "application/json",
        "user-agent": "polar.sh webhooks",
        "webhook-id": key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": sign(endpoint, key, now, body),
    }
