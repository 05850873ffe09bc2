"""The commands for a local Polar that is running."""

import json

import httpx
import pytest

from polar_emulator.__main__ import main
from polar_emulator.settings import Settings
from polar_emulator.testing import LocalPolar
from tests.polar_emulator.buyers import Buyers


@pytest.fixture
def command(polar: LocalPolar, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Run a command line against the local Polar; returns its status and its words."""
    monkeypatch.setenv("POLAR_EMULATOR_URL", polar.url)

    def run(*words: str) -> tuple[int, str]:
        status = main(words)
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def test_advance(command, buyers: Buyers) -> None:  # type: ignore[no-untyped-def]
    buyers.buy()
    before = buyers.subscription().current_period_end
    status, said = command("advance", "--days", "31")
    assert status == 0
    assert "events happened on the way" in said
    assert buyers.subscription().current_period_end > before
    assert command("advance", "--months", "1")[0] == 0
    assert command("advance", "--next")[0] == 0
    assert command("advance", "--hours", "1")[0] == 0
    assert command("advance", "--until", "2001-01-01") == (
        1,
        "The clock only moves forward; a reset brings it back.\n",
    )
    assert command("advance")[0] == 1


@pytest.mark.parametrize("number", ["nan", "inf", "1e999"])
def test_no_number(command, number: str) -> None:  # type: ignore[no-untyped-def]
    for fault in ("slow", "delay"):
        assert command("fault", fault, number) == (1, "Say how many seconds.\n")
    for step in ("--days", "--hours"):
        with pytest.raises(SystemExit) as stopped:
            command("advance", f"{step}={number}")
        assert stopped.value.code == 2


def test_scenarios(command, buyers: Buyers, polar: LocalPolar) -> None:  # type: ignore[no-untyped-def]
    assert "fail-next-renewal" in command("scenario")[1]
    buyers.buy()
    assert command("scenario", "fail-next-renewal", "user_1@example.com")[0] == 0
    command("advance", "--days", "31")
    assert buyers.subscription().status == "past_due"
    assert command("scenario", "fly")[0] == 1


def test_limit(command, polar: LocalPolar) -> None:  # type: ignore[no-untyped-def]
    assert command("fault", "limit") == (0, "100 requests a minute for each token.\n")
    assert command("fault", "limit", "2")[0] == 0
    headers = {"Authorization": f"Bearer {polar.token}"}
    statuses = [httpx.get(f"{polar.url}/v1/products/", headers=headers).status_code for _ in "123"]
    assert statuses == [200, 200, 429]
    assert command("fault", "off")[0] == 0
    assert httpx.get(f"{polar.url}/v1/products/", headers=headers).status_code == 200
    assert command("fault", "limit", "off") == (0, "Any number of requests.\n")
    assert command("fault", "limit", "many")[0] == 1
    assert command("fault", "limit", "9" * 5000)[0] == 1


def test_faults(command, polar: LocalPolar) -> None:  # type: ignore[no-untyped-def]
    for words in (("500",), ("twice",), ("drop", "on"), ("delay", "5"), ("slow", "0.1")):
        assert command("fault", *words)[0] == 0
    assert polar.control("GET", "/faults") == {
        "api": "slow",
        "slow_seconds": 0.1,
        "hold_confirmed": False,
        "drop_webhooks": True,
        "duplicate_webhooks": True,
        "reorder_webhooks": False,
        "delay_webhooks_seconds": 5.0,
    }
    assert "drop_webhooks" in command("fault")[1]
    assert command("fault", "unknown-type")[1] == "Sent subscription.teleported.\n"
    assert command("fault", "off")[0] == 0
    for wrong in (("sick",), ("delay",), ("twice", "maybe"), ("unknown-value",)):
        assert command("fault", *wrong)[0] == 1


def test_events_and_reset(command, buyers: Buyers, polar: LocalPolar) -> None:  # type: ignore[no-untyped-def]
    buyers.open()
    assert command("events")[1].endswith("  checkout.created\n")
    assert json.loads(command("events", "--json")[1])["type"] == "checkout.created"
    assert command("reset") == (0, "Back to the demo state.\n")
    assert command("events") == (0, "")


def test_events_after_another(buyers: Buyers, polar: LocalPolar) -> None:
    buyers.open(user="a")
    (first,) = polar.control("GET", "/events")["items"]
    buyers.open(user="b")
    (second,) = polar.control("GET", f"/events?after={first['id']}")["items"]
    assert second["timestamp"] > first["timestamp"]


def test_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", "--url", "http://127.0.0.1:9"]) == 1
    assert "No local Polar answers" in capsys.readouterr().err


def test_leaving_this_machine_takes_two_options() -> None:
    Settings(host="0.0.0.0", exposed=True).check()
