"""The recordings of the real Polar: requests with their answers, and deliveries by scenario."""

import functools
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "fixtures"
# Deliveries that the application is tested with as well are kept with its tests.
DELIVERIES = (FOLDER / "deliveries", FOLDER.parents[1] / "fixtures" / "polar" / "deliveries")


@functools.cache
def answer(name: str) -> dict[str, Any]:
    """A recorded request with its answer."""
    return _read((FOLDER / "api" / f"{name}.json").read_text("utf-8"))


def answers() -> list[str]:
    """The names of the recorded requests."""
    return sorted(path.stem for path in (FOLDER / "api").iterdir())


@functools.cache
def deliveries(name: str) -> list[dict[str, Any]]:
    """What arrived in a scenario, in the order of arrival: headers, body, and what was answered."""
    path = next(folder / f"{name}.jsonl" for folder in DELIVERIES if _has(folder, name))
    return [_read(line) for line in path.read_text("utf-8").splitlines()]


@functools.cache
def scenario(name: str) -> list[dict[str, Any]]:
    """The events of a scenario, in the order of creation; those that came again are told once."""
    events = {each["body"]: json.loads(each["body"]) for each in deliveries(name)}
    return sorted(events.values(), key=lambda event: str(event["timestamp"]))


def scenarios() -> list[str]:
    """The names of the recorded scenarios."""
    return sorted({path.stem for folder in DELIVERIES for path in folder.glob("*.jsonl")})


def event_types() -> list[str]:
    """The types there is a recorded delivery of."""
    return sorted({event["type"] for name in scenarios() for event in scenario(name)})


def event(event_type: str) -> dict[str, Any]:
    """A recorded delivery of a type."""
    every = (event for name in scenarios() for event in scenario(name))
    return next(event for event in every if event["type"] == event_type)


def _has(folder: Path, name: str) -> bool:
    return (folder / f"{name}.jsonl").exists()


def _read(text: str) -> Any:
    return json.loads(text)
