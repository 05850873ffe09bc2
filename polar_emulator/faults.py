"""Trouble on demand: what tests ask the API and the deliveries to do wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

# What Polar's sandbox allows a token.
PER_MINUTE = 100
LONGEST_SECONDS = 24 * 3600
# The names, each with what the API does then.
API_FAULTS = {
    "401": "401: does not know the token",
    "422": "422: refuses everything",
    "429": "429: too many requests",
    "500": "500: breaks",
    "broken": "broken: stops in the middle of an answer",
    "down": "down: closes the connection",
    "html": "html: answers a page, not JSON",
    "slow": "slow",
}


@dataclass
class Faults:
    """What goes wrong at the moment. Nothing by default.

    api: None, `down` (the connection closes without an answer), `broken` (it closes in the middle
    of one), `slow` (waits `slow_seconds`), `401`, `422`, `429`, `500`, or `html` (a 200 page that
    is no JSON).
    hold_confirmed: checkouts stay `confirmed` until this is switched off.
    drop_webhooks: events happen but are never delivered.
    duplicate_webhooks: every delivery arrives twice.
    reorder_webhooks: what waits together arrives in reverse order.
    delay_webhooks_seconds: how much later than they should deliveries leave, by the clock here.
    """

    api: str | None = None
    slow_seconds: float = 3.0
    hold_confirmed: bool = False
    drop_webhooks: bool = False
    duplicate_webhooks: bool = False
    reorder_webhooks: bool = False
    delay_webhooks_seconds: float = 0.0

    def change(self, wanted: dict[str, Any]) -> None:
        """Set the named faults; ValueError with a sentence for a name or value that is unknown."""
        kinds = {field.name: field.type for field in fields(self)}
        unknown = set(wanted) - set(kinds)
        if unknown:
            raise ValueError(f"Unknown fault: {', '.join(sorted(unknown))}.")
        checked = {name: CHECKS[str(kinds[name])](name, value) for name, value in wanted.items()}
        for name, value in checked.items():
            setattr(self, name, value)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        for field in fields(self):
            setattr(self, field.name, field.default)

    def as_dict(self) -> dict[str, Any]:
        """The faults as the control API shows them."""
        return asdict(self)


def _api(name: str, value: Any) -> str | None:
    if value is not None and str(value) not in API_FAULTS:
        raise ValueError(f"{name} must be null or one of {', '.join(sorted(API_FAULTS))}.")
    return None if value is None else str(value)


def _seconds(name: str, value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise ValueError(f"{name} must be a number of seconds, at most {LONGEST_SECONDS}.")
    return seconds


def _switch(name: str, value: Any) -> bool:
    if value not in (True, False):
        raise ValueError(f"{name} must be true or false.")
    return bool(value)


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "str | None": _api,
    "float": _seconds,
    "bool": _switch,
}
