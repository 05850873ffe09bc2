"""Events that no receiver has seen before: an unknown type, and an unknown value in a known one."""

from __future__ import annotations

import json
from typing import Any

from polar_emulator.events import emit
from polar_emulator.store import Doc
from polar_emulator.world import World

UNKNOWN_TYPE = "subscription.teleported"
UNKNOWN_STATUS = "hibernating"
ODDITIES = ("unknown-type", "unknown-value")


def send(world: World, name: str) -> str:
    """Send one of the ODDITIES to every endpoint; returns its type. ValueError for another name."""
    if name not in ODDITIES:
        raise ValueError(f"Choose one of {', '.join(ODDITIES)}.")
    with world.store.transaction():
        if name == "unknown-type":
            return _tell(world, UNKNOWN_TYPE, {"id": world.new_id(), "created_at": world.stamp()})
        data = _latest(world)
        return _tell(world, "subscription.updated", {**data, "status": UNKNOWN_STATUS})


def _tell(world: World, event_type: str, data: dict[str, Any]) -> str:
    emit(world, event_type, data, to_all=True)
    return event_type


def _latest(world: World) -> Doc:
    """The data of the youngest event about a subscription."""
    event = world.store.first("event", {"type": "subscription.updated"}, order="-seq")
    if event is None:
        raise ValueError("There is no subscription yet to send an event about.")
    data: Doc = json.loads(event["data"])
    return data
