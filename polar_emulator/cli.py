"""Commands for a local Polar that is running: the clock, scenarios, faults, events, reset."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import httpx

from polar_emulator.faults import API_FAULTS, PER_MINUTE
from polar_emulator.oddities import ODDITIES
from polar_emulator.settings import DEFAULT_PORT

# Something comes every five seconds; a longer silence means that nobody is there any more.
SILENCE_SECONDS = 20.0
LONGEST_LIMIT = 7  # Digits; nobody makes ten million requests a minute.
SWITCHES = {
    "drop": "drop_webhooks",
    "twice": "duplicate_webhooks",
    "reorder": "reorder_webhooks",
    "hold": "hold_confirmed",
}
FAULT_WORDS = (*sorted(API_FAULTS), *SWITCHES, "delay", "limit", *ODDITIES, "off")
Ask = Callable[..., dict[str, Any]]


class CommandError(Exception):
    """Something that cannot be done; the text is one sentence for the person who typed it."""


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Do what a command line says. Returns 1 after one sentence when that does not work."""
    given = _parser(environ).parse_args(arguments)
    try:
        with httpx.Client(base_url=given.url, timeout=120, trust_env=False) as client:
            COMMANDS[given.command](given, lambda *call, **body: _ask(client, *call, **body))
    except CommandError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except httpx.TransportError:
        sys.stderr.write(
            f"No local Polar answers at {given.url}: start one with python -m polar_emulator.\n"
        )
        return 1
    except (KeyboardInterrupt, BrokenPipeError):
        return 0
    return 0


def advance(given: argparse.Namespace, ask: Ask) -> None:
    """Move the clock and say what time it is then."""
    steps = {
        "days": given.days,
        "months": given.months,
        "advance_seconds": given.hours * 3600 if given.hours is not None else None,
        "until": given.until,
        "next": True if given.next else None,
    }
    chosen = {name: value for name, value in steps.items() if value is not None}
    if len(chosen) != 1:
        raise CommandError("Name one of --days, --months, --hours, --until and --next.")
    before = ask("GET", "/events")["items"]
    clock = ask("POST", "/clock", **chosen)
    ask("POST", "/wait-idle", timeout=60)
    happened = ask("GET", "/events")["items"][len(before) :]
    _say(f"It is {clock['now']} now. {len(happened)} events happened on the way.")


def scenario(given: argparse.Namespace, ask: Ask) -> None:
    """Play a scenario, or list them."""
    if given.name is None:
        for found in ask("GET", "/scenarios")["items"]:
            _say(f"{found['name']:20} {found['happens_to']:14} {found['title']}")
        return
    played = ask("POST", f"/scenarios/{given.name}", who=given.who)
    _say(f"{played['scenario']} happened to {played['happened_to']} {played['id']}.")


def fault(given: argparse.Namespace, ask: Ask) -> None:
    """Switch a fault on or off, send an odd event, or show the faults."""
    if given.name in ODDITIES:
        _say(f"Sent {ask('POST', f'/faults/send/{given.name}')['sent']}.")
        return
    if given.name == "limit":
        _say(_limit_words(ask("POST", "/rate-limit", per_minute=_most(given.value))))
        return
    if given.name == "off":
        faults = ask("DELETE", "/faults")
    elif given.name:
        faults = ask("POST", "/faults", **_wanted_fault(given.name, given.value))
    else:
        faults = ask("GET", "/faults")
    for name, value in faults.items():
        _say(f"{name:24} {json.dumps(value)}")


def events(given: argparse.Namespace, ask: Ask) -> None:
    """Print the events, and those to come with --follow."""
    seen = ""
    for event in ask("GET", "/events")["items"]:
        seen = event["id"]
        _tell(event, as_json=given.json)
    if given.follow:
        for event in _stream(given.url, seen):
            _tell(event, as_json=given.json)


def reset(given: argparse.Namespace, ask: Ask) -> None:
    """Back to the demo state."""
    ask("POST", "/reset")
    _say("Back to the demo state.")


COMMANDS: dict[str, Callable[[argparse.Namespace, Ask], None]] = {
    "advance": advance,
    "scenario": scenario,
    "fault": fault,
    "events": events,
    "reset": reset,
}


def _wanted_fault(name: str, value: str | None) -> dict[str, Any]:
    if name in SWITCHES:
        if value not in (None, "on", "off"):
            raise CommandError(f"{name} is on or off, not {value}.")
        return {SWITCHES[name]: value != "off"}
    if name == "delay":
        return {"delay_webhooks_seconds": _number(value)}
    if name not in API_FAULTS:
        raise CommandError(f"There is no fault {name}. Choose one of {', '.join(FAULT_WORDS)}.")
    slow = {"slow_seconds": _number(value)} if name == "slow" and value else {}
    return {"api": name, **slow}


def _most(value: str | None) -> int | None:
    if value not in (None, "off") and not (value.isdecimal() and len(value) <= LONGEST_LIMIT):
        raise CommandError("Say how many requests a minute, or off.")
    return None if value == "off" else int(value or PER_MINUTE)


def _limit_words(limit: dict[str, Any]) -> str:
    most = limit["per_minute"]
    return f"{most} requests a minute for each token." if most else "Any number of requests."


def _number(value: str | None) -> float:
    try:
        return _finite(value or "")
    except ValueError:
        raise CommandError("Say how many seconds.") from None


def _finite(value: str) -> float:
    """A number that JSON can carry. ValueError for anything else, `nan` and `inf` included."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _ask(client: httpx.Client, method: str, path: str, **body: Any) -> dict[str, Any]:
    answer = client.request(method, f"/_emulator{path}", json=body)
    try:
        data = cast(dict[str, Any], answer.json())
    except ValueError:
        raise CommandError(f"{client.base_url} is no local Polar.") from None
    if not answer.is_success:
        sentence = data.get("error") or "That did not work."
        raise CommandError(str(data.get("detail") or sentence))
    return data


def _stream(url: str, after: str) -> Iterator[dict[str, Any]]:
    """The events after one, as they happen; it ends with the local Polar."""
    address = f"{url}/_emulator/events/stream"
    timeout = httpx.Timeout(10, read=SILENCE_SECONDS)
    with httpx.stream(
        "GET", address, params={"after": after}, timeout=timeout, trust_env=False
    ) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def _tell(event: dict[str, Any], *, as_json: bool) -> None:
    _say(json.dumps(event) if as_json else f"{event['timestamp']}  {event['type']}")
    sys.stdout.flush()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    port = environ.get("POLAR_EMULATOR_PORT") or DEFAULT_PORT
    url = environ.get("POLAR_EMULATOR_URL") or f"http://127.0.0.1:{port}"
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", default=url, help=f"where it runs (default {url})")
    parser = argparse.ArgumentParser(prog="python -m polar_emulator")
    commands = parser.add_subparsers(dest="command", required=True)

    moving = commands.add_parser("advance", parents=[common], help="move the clock forward")
    moving.add_argument("--days", type=_finite)
    moving.add_argument("--months", type=int)
    moving.add_argument("--hours", type=_finite)
    moving.add_argument("--until", help="a date like 2027-01-31")
    moving.add_argument("--next", action="store_true", help="to the next event")

    playing = commands.add_parser(
        "scenario", parents=[common], help="play a scenario, or list them"
    )
    playing.add_argument("name", nargs="?")
    playing.add_argument("who", nargs="?", default="", help="an id, an e-mail or an external id")

    failing = commands.add_parser(
        "fault", parents=[common], help="let something go wrong, or show it"
    )
    failing.add_argument("name", nargs="?", help=", ".join(FAULT_WORDS))
    failing.add_argument("value", nargs="?", help="on, off, or a number of seconds or requests")

    telling = commands.add_parser("events", parents=[common], help="print the events")
    telling.add_argument("--follow", action="store_true", help="go on with those to come")
    telling.add_argument("--json", action="store_true", help="one JSON object a line")

    commands.add_parser("reset", parents=[common], help="back to the demo state")
    return parser
