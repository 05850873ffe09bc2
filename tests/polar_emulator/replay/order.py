"""The order of events: what has to come as recorded, and what may vary.

Facts, section 1: what a worker tells about a customer floats between the other events of a purchase,
the state is told once for several changes, and the update with the fee comes when it comes. The rest
has to come in the recorded order.
"""

from typing import Any

from polar_emulator.store import Doc

STATE = "customer.state_changed"
FLOATING = ("customer.created", "customer.updated", STATE)


def differences(was: list[Doc], ours: list[Doc]) -> list[str]:
    """What came in another order, with another status, or not at all."""
    found = []
    if _firm(was) != _firm(ours):
        found.append(f"{_firm(was)} became {_firm(ours)}")
    for event_type in FLOATING:
        counts = [sum(e["type"] == event_type for e in events) for events in (was, ours)]
        if event_type == STATE:  # Debounced: told once for one change or for several.
            counts = [min(count, 1) for count in counts]
        if counts[0] != counts[1]:
            found.append(f"{event_type}: {counts[0]} became {counts[1]}")
    if (_fee_update(was) is None) != (_fee_update(ours) is None):
        found.append("the update with the fee came on one side only")
    return found


def _firm(events: list[Doc]) -> list[tuple[Any, ...]]:
    """What has to come in this order: each event with its status."""
    fee = _fee_update(events)
    return [
        (event["type"], event["data"].get("status"))
        for place, event in enumerate(events)
        if event["type"] not in FLOATING and place != fee
    ]


def _fee_update(events: list[Doc]) -> int | None:
    """The place of the update that tells the fee of an order which has just been paid."""
    paid = [place for place, event in enumerate(events) if event["type"] == "order.paid"]
    later = [
        place
        for place, event in enumerate(events)
        if paid and place > paid[0] and event["type"] == "order.updated"
    ]
    return later[0] if later else None
