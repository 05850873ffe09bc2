"""A real local Polar over loopback, a real receiver for its webhooks, and the official SDK."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from polar.v2026_10 import Polar

from polar_emulator import testing
from polar_emulator.testing import LocalPolar
from tests.polar_emulator import receiving, typed
from tests.polar_emulator.buyers import Buyers
from tests.polar_emulator.receiving import Receiver

SECRET = "whsec_for_the_tests_only"


@pytest.fixture(scope="session")
def listening() -> Iterator[Receiver]:
    """An HTTP server for the whole session."""
    with receiving.receiver() as found:
        yield found


@pytest.fixture(scope="session")
def polar_emulator_options(listening: Receiver) -> dict[str, Any]:
    """Here, deliveries are made."""
    return {"webhook_url": listening.url, "webhook_secret": SECRET}


@pytest.fixture(scope="session")
def polar_emulator_process(polar_emulator_options: dict[str, Any]) -> Iterator[LocalPolar]:
    """One process for all tests of this folder."""
    with testing.start(**polar_emulator_options) as polar:
        yield polar


@pytest.fixture
def polar(polar_emulator: LocalPolar, listening: Receiver) -> LocalPolar:
    """The local Polar in its demo state, and nothing delivered yet."""
    polar_emulator.wait_idle()
    listening.deliveries.clear()
    listening.answers.clear()
    return polar_emulator


@pytest.fixture
def receiver(polar: LocalPolar, listening: Receiver) -> Receiver:
    """The receiver, with nothing in it."""
    return listening


# Clients are made once: each costs 50 ms for its TLS settings.
@pytest.fixture(scope="session")
def session_sdk(polar_emulator_process: LocalPolar) -> Iterator[Polar]:
    """The official client."""
    polar = polar_emulator_process
    with Polar(polar.token, base_url=polar.url) as client:
        yield client


@pytest.fixture(scope="session")
def session_http(polar_emulator_process: LocalPolar) -> Iterator[httpx.Client]:
    """A bare client."""
    hooks = {"response": [typed.check_wire]}
    url = polar_emulator_process.url
    with httpx.Client(base_url=url, timeout=10, event_hooks=hooks) as client:
        yield client


@pytest.fixture
def sdk(polar: LocalPolar, session_sdk: Polar) -> Polar:
    """The official client, on the demo state."""
    return session_sdk


@pytest.fixture
def http(polar: LocalPolar, session_http: httpx.Client) -> httpx.Client:
    """A bare client with a token, for what the SDK does not show."""
    session_http.headers["Authorization"] = f"Bearer {polar.token}"
    session_http.follow_redirects = False
    return session_http


@pytest.fixture
def browser(polar: LocalPolar, session_http: httpx.Client) -> httpx.Client:
    """A browser without JavaScript, and without cookies."""
    session_http.headers.pop("Authorization", None)
    session_http.cookies.clear()
    session_http.follow_redirects = True
    return session_http


@pytest.fixture
def buyers(polar: LocalPolar, sdk: Polar) -> Buyers:
    """People who buy things."""
    return Buyers(polar, sdk)
