"""The recordings of the real Polar, and how to compare with them."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "fixtures"

# What the SDK 1.0.2 needs and the recorded server did not send yet.
NEWER = frozenset(
    {
        "api_version",
        "is_deletable",
        "start_timestamp",
        "end_timestamp",
        "seats",
        "units",
        "uses_standard_webhook_signature",
    }
)


def answer(name: str) -> dict[str, Any]:
    """A recorded request with its answer."""
    return _read(FOLDER / "api" / f"{name}.json")


def event(event_type: str) -> dict[str, Any]:
    """A recorded delivery of a type."""
    return _read(FOLDER / "events" / f"{event_type}.json")


def event_types() -> list[str]:
    """The types there is a recorded delivery of."""
    return sorted(path.stem for path in (FOLDER / "events").iterdir())


def scenario(name: str) -> list[dict[str, Any]]:
    """What arrived in a recorded scenario, in the order of creation."""
    return _read(FOLDER / "scenarios.json")[name]


def scenarios() -> list[str]:
    """The names of the recorded scenarios."""
    return sorted(_read(FOLDER / "scenarios.json"))


def answers() -> list[str]:
    """The names of the recorded requests."""
    return sorted(path.stem for path in (FOLDER / "api").iterdir())


def differences(recorded: Any, ours: Any, where: str = "") -> list[str]:
    """Keys that are missing or extra and values of another type, at any depth.

    A null on either side says nothing about the type. Lists are compared by their first entries.
    """
    if recorded is None or ours is None:
        return []
    if isinstance(recorded, dict) and isinstance(ours, dict):
        return _different_keys(recorded, ours, where)
    if isinstance(recorded, list) and isinstance(ours, list):
        both = recorded and ours
        return differences(recorded[0], ours[0], f"{where}[]") if both else []
    if type(recorded) is not type(ours):
        return [f"{where}: {type(recorded).__name__} became {type(ours).__name__}"]
    return []


def _different_keys(recorded: dict[str, Any], ours: dict[str, Any], where: str) -> list[str]:
    if where.endswith(("metadata", "prices")):
        return []  # keys of people's own, or ids
    found = [f"{where}.{key} is missing" for key in recorded.keys() - ours.keys()]
    found += [f"{where}.{key} is extra" for key in ours.keys() - recorded.keys() - NEWER]
    for key in recorded.keys() & ours.keys():
        found += differences(recorded[key], ours[key], f"{where}.{key}")
    return found


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
