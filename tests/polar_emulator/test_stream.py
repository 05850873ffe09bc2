"""Events as they happen: the stream for programs, and the one for the control page."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from polar.v2026_10 import Polar

from polar_emulator import stream, testing
from polar_emulator.catalogue import stable_id
from polar_emulator.jobs import wait_until
from polar_emulator.testing import LocalPolar
from tests.polar_emulator.buyers import Buyers
from tests.polar_emulator.conftest import Receiver


@contextlib.contextmanager
def following(url: str, **options: Any) -> Iterator[Iterator[Any]]:
    """The messages of a stream, as they come."""
    with httpx.stream("GET", url, timeout=20, **options) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = (line for line in answer.iter_lines() if line.startswith("data: "))
        yield (json.loads(line.removeprefix("data: ")) for line in lines)


def test_events_as_they_happen(polar: LocalPolar, buyers: Buyers, sdk: Polar) -> None:
    with following(f"{polar.url}/_emulator/events/stream") as messages:
        buyers.open()
        first = next(messages)
        assert first["type"] == "checkout.created"
        started = time.monotonic()
        sdk.products.update(stable_id("product", "Free"), description="Changed")
        second = next(messages)
        assert second["type"] == "product.updated"
        assert time.monotonic() - started < stream.HEARTBEAT_SECONDS
    again = {"headers": {"Last-Event-ID": first["id"]}}
    with following(f"{polar.url}/_emulator/events/stream", **again) as messages:
        assert next(messages) == second
    everything = polar.control("GET", "/events")["items"]
    assert everything == [first, second]


def test_the_control_page_follows_events_and_their_deliveries(
    polar: LocalPolar, buyers: Buyers, receiver: Receiver
) -> None:
    receiver.answers = [500]
    with following(f"{polar.url}/control/stream") as messages:
        assert "Nothing has happened yet." in next(messages)["rows"]
        buyers.open()
        seen = [next(messages)]
        while "delivered, 200" not in seen[-1]["rows"]:
            seen.append(next(messages))
        assert seen[-1]["newest"] == "checkout.created"
        polar.reset()
        assert "Nothing has happened yet." in next(messages)["rows"]


def test_pages_of_other_sites_cannot_listen(polar: LocalPolar) -> None:
    for path in ("/control/stream", "/_emulator/events/stream"):
        answer = httpx.get(f"{polar.url}{path}", headers={"Host": "evil.example.com"})
        assert answer.status_code == 400


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc to count threads in")
def test_readers_that_leave_are_let_go(polar: LocalPolar, buyers: Buyers) -> None:
    """Otherwise each reload of the control page would leave a thread behind for good."""
    threads = Path(f"/proc/{polar._process.pid}/task")
    for _ in range(5):
        with following(f"{polar.url}/control/stream") as messages:
            next(messages)
    followed = len(list(threads.iterdir()))

    def fewer() -> bool:
        buyers.open()
        return len(list(threads.iterdir())) <= followed - 4

    assert wait_until(fewer, 5)


def test_streams_end_with_the_process_and_go_on_after_a_restart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    begun, ended = threading.Event(), threading.Event()

    def read(url: str) -> None:
        with following(url) as messages:
            begun.set()
            list(messages)
        ended.set()

    with testing.start(port=port) as polar:
        reader = threading.Thread(target=read, args=(f"{polar.url}/control/stream",))
        reader.start()
        assert begun.wait(10)
        polar._process.send_signal(signal.SIGTERM)
        assert polar._process.wait(10) == 0
        assert ended.wait(10)
        reader.join()
    with testing.start(port=port) as polar, following(f"{polar.url}/control/stream") as messages:
        assert "Nothing has happened yet." in next(messages)["rows"]


def test_the_command_follows(polar: LocalPolar, buyers: Buyers) -> None:
    command = [sys.executable, "-m", "polar_emulator", "events", "--follow", "--url", polar.url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        for user in ("user_1", "user_2"):
            buyers.open(user=user)
            assert process.stdout.readline().endswith("checkout.created\n")
    finally:
        process.kill()
        process.communicate()
