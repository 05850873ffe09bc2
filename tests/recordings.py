"""The recorded deliveries of the real Polar, and the secret they were signed with."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "fixtures" / "polar" / "deliveries"
SECRET = "whsec_" + "GAeA6JmT4Tyha9NEK5V0qQIoMihc8ERM7jOHo0WR0ku"  # A throw-away of the recording.


@dataclass(frozen=True)
class Recording:
    """One delivery as it arrived."""

    scenario: str
    arrived_at: datetime
    headers: dict[str, str]
    body: str

    @property
    def event(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def signed_at(self) -> int:
        return int(self.headers["webhook-timestamp"])


def scenario(name: str) -> list[Recording]:
    """Return the deliveries of one scenario in the order of their arrival."""
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [_recording(name, json.loads(line)) for line in lines]


def everything() -> list[Recording]:
    """Return all deliveries of all scenarios in the order of their arrival."""
    found = [each for path in FOLDER.glob("*.jsonl") for each in scenario(path.stem)]
    return sorted(found, key=lambda recording: recording.arrived_at)


def _recording(name: str, line: dict[str, Any]) -> Recording:
    return Recording(
        name, datetime.fromisoformat(line["arrived_at"]), line["headers"], line["body"]
    )
