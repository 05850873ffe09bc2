"""The process: its command line, its one line, its end, and what survives it."""

import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest
from polar.v2026_10 import Polar

from polar_emulator import testing
from polar_emulator.__main__ import read_settings
from polar_emulator.catalogue import stable_id
from polar_emulator.jobs import wait_until
from polar_emulator.settings import SettingsError
from tests.polar_emulator.receiving import Receiver

COMMAND = [sys.executable, "-m", "polar_emulator"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=20, check=False
    )


def test_one_line_and_a_clean_end(tmp_path: Path) -> None:
    store = str(tmp_path / "deep" / "polar.db")
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", "--store", store],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("Local Polar listening on http://127.0.0.1:")
    assert httpx.get(line.split()[-1]).status_code == 200
    process.send_signal(signal.SIGTERM)
    rest, complaints = process.communicate(timeout=10)
    assert (process.returncode, rest, complaints) == (0, "", "")


def test_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("--port", port, "--store", ":memory:")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Port {port} is taken")
    assert len(done.stderr.splitlines()) == 1


def test_a_store_that_does_not_open(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Polar, this is no database." * 10)
    for place in (tmp_path / "letter.txt", tmp_path, tmp_path / "letter.txt" / "polar.db"):
        done = run("--port", "0", "--store", str(place))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"Cannot open the store {place}: ")
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], "this machine only"),
        (["--host", "example.com"], "this machine only"),
        (["--port", "70000"], "between 0 and 65535"),
        (["--port", "many"], "must be numbers"),
        (["--webhook-url", "ftp://x", "--webhook-secret", "y"], "http(s)"),
        (["--webhook-url", "http://127.0.0.1/x"], "--webhook-secret"),
        (["--public-url", "nowhere"], "http(s)"),
        (["--webhook-secret", "whsec_not base64", "--webhook-standard"], "base64"),
        (["--webhook-secret", "whsec_", "--webhook-standard"], "base64"),
    ],
)
def test_settings_that_cannot_work(arguments: list[str], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(arguments, {}).check()
    assert words in str(caught.value)


def test_refuses_strangers_on_the_command_line() -> None:
    done = run("--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 1
    assert "this machine only" in done.stderr


def test_environment() -> None:
    environ = {
        "POLAR_EMULATOR_PORT": "8123",
        "POLAR_EMULATOR_STORE": "x.db",
        "POLAR_EMULATOR_WEBHOOK_URL": "http://127.0.0.1:8000/webhooks/polar",
        "POLAR_EMULATOR_WEBHOOK_SECRET": "secret",
    }
    settings = read_settings([], environ)
    assert (settings.port, settings.store) == (8123, "x.db")
    assert settings.webhook_url.endswith("/webhooks/polar")
    assert read_settings(["--port", "1"], environ).port == 1


def test_start_says_why_it_failed() -> None:
    with pytest.raises(RuntimeError, match="this machine only"):
        testing.start(arguments=("--host", "0.0.0.0"))


def test_everything_survives_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    store = str(tmp_path / "polar.db")
    with testing.start(store=store, webhook_url="http://127.0.0.1:9/", webhook_secret="s") as polar:
        with Polar(polar.token, base_url=polar.url) as sdk:
            sdk.customers.create(email="jane@example.com", external_id="u1")
            checkout = sdk.checkouts.create(
                products=[stable_id("product", "Pro Monthly")], external_customer_id="u1"
            )
        polar.complete_checkout(checkout.client_secret)
        polar.wait_idle()
        polar.advance(10 * 86400)
        events = polar.events()
    with testing.start(store=store, webhook_url=receiver.url, webhook_secret="s") as polar:
        with Polar(polar.token, base_url=polar.url) as sdk:
            assert sdk.checkouts.get(checkout.id).status == "succeeded"
        assert polar.control("GET", "/clock")["ahead_seconds"] > 9 * 86400
        assert polar.events() == events


def test_killed_while_delivering(tmp_path: Path, receiver: Receiver) -> None:
    store = str(tmp_path / "polar.db")
    options = {"store": store, "webhook_url": receiver.url, "webhook_secret": "s"}
    receiver.answers = [500]
    polar = testing.start(**options, arguments=("--retry-scale", "0.2"))
    with Polar(polar.token, base_url=polar.url) as sdk:
        sdk.products.update(stable_id("product", "Free"), description="Changed")
    assert wait_until(lambda: len(receiver.deliveries) == 1, 5)
    polar._process.kill()
    polar.stop()
    with testing.start(**options):
        assert wait_until(lambda: len(receiver.deliveries) == 2, 5)
    first, second = receiver.deliveries
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_real_pace(receiver: Receiver) -> None:
    options = {"webhook_url": receiver.url, "webhook_secret": "s"}
    with testing.start(fast=False, **options) as polar:
        with Polar(polar.token, base_url=polar.url) as sdk:
            checkout = sdk.checkouts.create(
                products=[stable_id("product", "Free")], customer_email="jane@example.com"
            )
            polar.complete_checkout(checkout.client_secret)
            assert sdk.checkouts.get(checkout.id).status == "confirmed"
            started = time.monotonic()
            polar.wait_idle()
            assert 1 < time.monotonic() - started < 8
            assert sdk.checkouts.get(checkout.id).status == "succeeded"
        assert polar.events()[-1] == "customer.state_changed"


def test_answers_are_dated_by_the_clock_that_can_be_moved(polar: testing.LocalPolar) -> None:
    polar.advance(40 * 24 * 3600)
    dates = httpx.get(f"{polar.url}/v1/products/").headers.get_list("date")
    assert len(dates) == 1
    assert parsedate_to_datetime(dates[0]) > datetime.now(UTC) + timedelta(days=39)
