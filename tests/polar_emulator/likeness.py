"""How alike two documents are: keys, types, nulls and values, whole lists, at any depth.

What has to differ is compared by what it stands for: an id for the same other id throughout, a moment
for a moment, a secret for a secret with the same prefix. All else has to be equal.
"""

import json
import re
from datetime import datetime
from typing import Any

from polar_emulator.clock import parse
from polar_emulator.rules import periods

# Keys that the local Polar sends and the recorded server did not, each with its reason.
EXTRA = {
    "api_version": "top level of a delivery: the SDK 1.0.2 refuses deliveries without it",
    "is_deletable": "of a product: required by the SDK 1.0.2",
    "start_timestamp": "of an order's item: required by the SDK 1.0.2",
    "end_timestamp": "of an order's item: required by the SDK 1.0.2",
    "seats": "of a subscription in a customer state: required by the SDK 1.0.2",
    "units": "of a subscription in a customer state: required by the SDK 1.0.2",
    "uses_standard_webhook_signature": "of an endpoint: which signing scheme it uses",
}
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
# What stands for a value that is another one each time, within a text.
MASKS = (
    (re.compile(r"(polar_(?:c|mst|cst)_|whsec_|cuss_|cus_|seti_|pi_|pk_)\w+"), r"\1*"),
    (re.compile(r"http://127\.0\.0\.1:(?:3000|58000)/|http://localhost/"), "<polar>/"),
    (re.compile(r"http://127\.0\.0\.1:\d+/(?:hook/main|webhooks)$"), "<receiver>"),
    (re.compile(r"[A-Z][a-z]{2} \d{1,2}, \d{4}"), "<day>"),
    (re.compile(r"\b[A-Z]{10}-(\d{4})\b"), r"<customer>-\1"),
)
PERIODS = (
    ("current_period_start", "current_period_end"),
    ("trial_start", "trial_end"),
    ("created_at", "expires_at"),
)


class Likeness:
    """A comparison of recorded documents with ours, through which ids keep their meaning."""

    def __init__(self) -> None:
        self.ours_of: dict[str, str] = {}
        self.theirs_of: dict[str, str] = {}

    def differences(self, was: Any, ours: Any, where: str = "") -> list[str]:
        """One line for each place where they are not alike."""
        if isinstance(was, dict) and isinstance(ours, dict):
            return self._objects(was, ours, where)
        if isinstance(was, list) and isinstance(ours, list):
            return self._lists(was, ours, where)
        if isinstance(was, str) and isinstance(ours, str):
            return self._texts(was, ours, where)
        if type(was) is not type(ours) or was != ours:
            return [f"{where}: {_short(was)} became {_short(ours)}"]
        return []

    def swap(self, text: str) -> str:
        """A recorded text with our ids in place of those that are known."""
        return ID.sub(lambda found: self.ours_of.get(found[0], found[0]), text)

    def _objects(self, was: dict[str, Any], ours: dict[str, Any], where: str) -> list[str]:
        ours = {self.theirs_of.get(key, key): value for key, value in ours.items()}
        found = [f"{where}.{key} is missing" for key in was.keys() - ours.keys()]
        found += [f"{where}.{key} is extra" for key in ours.keys() - was.keys() - EXTRA.keys()]
        for key in was:
            if key in ours:
                found += self.differences(was[key], ours[key], f"{where}.{key}")
        return found + _spans(was, ours, where) + _ties(was, ours, where)

    def _lists(self, was: list[Any], ours: list[Any], where: str) -> list[str]:
        if len(was) != len(ours):
            return [f"{where}: {len(was)} entries became {len(ours)}"]
        found = []
        for place, (old, new) in enumerate(zip(_sorted(was), _sorted(ours), strict=True)):
            found += self.differences(old, new, f"{where}[{place}]")
        return found

    def _texts(self, was: str, ours: str, where: str) -> list[str]:
        if ID.fullmatch(was) and ID.fullmatch(ours):
            return self._ids(was, ours, where)
        if MOMENT.fullmatch(was) and MOMENT.fullmatch(ours):
            return []
        if was.startswith('{"') and ours.startswith('{"'):
            return self.differences(json.loads(was), json.loads(ours), f"{where}:")
        if _masked(self.swap(was)) != _masked(ours):
            return [f"{where}: {_short(_masked(self.swap(was)))} became {_short(_masked(ours))}"]
        return []

    def _ids(self, was: str, ours: str, where: str) -> list[str]:
        if self.ours_of.setdefault(was, ours) != ours:
            return [f"{where}: another id than before"]
        if self.theirs_of.setdefault(ours, was) != was:
            return [f"{where}: one id for two"]
        return []


def _spans(was: dict[str, Any], ours: dict[str, Any], where: str) -> list[str]:
    """Periods of another length."""
    found = []
    for start, end in PERIODS:
        if all(isinstance(doc.get(name), str) for doc in (was, ours) for name in (start, end)):
            old, new = (_length(parse(doc[start]), parse(doc[end])) for doc in (was, ours))
            if old != new:
                found.append(f"{where}.{start} to {end}: {old} became {new}")
    return found


def _ties(was: dict[str, Any], ours: dict[str, Any], where: str) -> list[str]:
    """Moments that were the same and are not any more."""
    moments = [
        key for key, value in was.items() if isinstance(value, str) and MOMENT.fullmatch(value)
    ]
    return [
        f"{where}.{one} is not {other} any more"
        for place, one in enumerate(moments)
        for other in moments[place + 1 :]
        if was[one] == was[other] and ours.get(one) != ours.get(other)
    ]


def _length(start: datetime, end: datetime) -> str:
    for months in (1, 12):
        if periods.add(start, "month", months) == end:
            return f"{months} months"
    return f"{round((end - start).total_seconds() / 86400)} days"


def _sorted(entries: list[Any]) -> list[Any]:
    """Items of an order without an order of their own: the credit first (recorded either way)."""
    if entries and all(isinstance(entry, dict) and "proration" in entry for entry in entries):
        return sorted(entries, key=lambda entry: int(entry["amount"]))
    return entries


def _masked(text: str) -> str:
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 200 else f"{text[:200]}..."


def shape_differences(was: Any, ours: Any, where: str = "") -> list[str]:
    """Keys that are missing or extra and values of another type, where both have a value."""
    if was is None or ours is None or where.endswith(("metadata", "prices")):
        return []
    if isinstance(was, dict) and isinstance(ours, dict):
        found = [f"{where}.{key} is missing" for key in was.keys() - ours.keys()]
        found += [f"{where}.{key} is extra" for key in ours.keys() - was.keys() - EXTRA.keys()]
        for key in was.keys() & ours.keys():
            found += shape_differences(was[key], ours[key], f"{where}.{key}")
        return found
    if isinstance(was, list) and isinstance(ours, list):
        return [line for entry in ours if was for line in shape_differences(was[0], entry, where)]
    return [] if type(was) is type(ours) else [f"{where}: {_short(was)} became {_short(ours)}"]
