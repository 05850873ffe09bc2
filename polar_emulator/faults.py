"""Trouble on demand: what tests ask the API and the deliveries to do wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

API_FAULTS = frozenset({"down", "slow", "401", "422", "429", "500", "html"})


@dataclass
class Faults:
    """What goes wrong at the moment. Nothing by default.

    api: None, `down` (the connection closes without an answer), `slow` (waits `slow_seconds`),
    `401`, `422`, `429`, `500`, or `html` (a 200 page that is no JSON).
    hold_confirmed: checkouts stay `confirmed` until this is switched off.
    drop_webhooks: events happen but are never delivered.
    """

    api: str | None = None
    slow_seconds: float = 3.0
    hold_confirmed: bool = False
    drop_webhooks: bool = False

    def change(self, wanted: dict[str, Any]) -> None:
        """Set the named faults; ValueError with a sentence for a name or value that is unknown."""
        unknown = set(wanted) - set(asdict(self))
        if unknown:
            raise ValueError(f"Unknown fault: {', '.join(sorted(unknown))}.")
        api = wanted.get("api", self.api)
        if api is not None and str(api) not in API_FAULTS:
            raise ValueError(f"api must be null or one of {', '.join(sorted(API_FAULTS))}.")
        self.api = None if api is None else str(api)
        self.slow_seconds = float(wanted.get("slow_seconds", self.slow_seconds))
        self.hold_confirmed = bool(wanted.get("hold_confirmed", self.hold_confirmed))
        self.drop_webhooks = bool(wanted.get("drop_webhooks", self.drop_webhooks))

    def as_dict(self) -> dict[str, Any]:
        """The faults as the control API shows them."""
        return asdict(self)
