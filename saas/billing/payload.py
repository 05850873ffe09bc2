"""Read the fields we need from Polar's JSON. Unknown fields are nobody's business; missing ones are.

The SDK's types refuse a whole object for one new enum value or field (decision 4 in the design), so
we look at exactly what we use and say precisely what is wrong with it.
"""

import re
from datetime import datetime
from typing import Any

from saas.kit.datetimes import parse_datetime

type_name = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}

SUBSCRIPTION_STATUSES = frozenset(
    [
        "incomplete",
        "incomplete_expired",
        "trialing",
        "active",
        "past_due",
        "canceled",
        "unpaid",
        "paused",
    ]
)
ORDER_STATUSES = frozenset(["draft", "pending", "paid", "refunded", "partially_refunded", "void"])
MAX_ID_LENGTH = 36
WORD = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)  # What a new status of Polar would look like.


class PayloadError(Exception):
    """The JSON is not what Polar documents.

    The message names the field and the kind of what was found there, never the value: it goes into the log.
    """


class Reader:
    """Reads fields of one JSON object by name. Each method raises ``PayloadError``."""

    def __init__(self, data: object, where: str) -> None:
        if not isinstance(data, dict):
            raise PayloadError(f"{where}: expected an object, got {_kind(data)}")
        self.data: dict[str, Any] = data
        self.where = where

    def identifier(self, key: str) -> str:
        """Return a Polar id: text of at most 36 characters."""
        value = self.text(key)
        if not 0 < len(value) <= MAX_ID_LENGTH:
            raise PayloadError(f"{self.where}.{key}: not a Polar id")
        return value

    def optional_identifier(self, key: str) -> str | None:
        """Return a Polar id, or ``None`` when it is null or absent."""
        return None if self.data.get(key) is None else self.identifier(key)

    def text(self, key: str) -> str:
        """Return text. NUL characters, which PostgreSQL cannot store, are refused."""
        value: str = self._typed(key, str)
        if "\x00" in value:
            raise PayloadError(f"{self.where}.{key}: contains a NUL character")
        return value

    def optional_text(self, key: str) -> str | None:
        """Return text, or ``None`` when it is null or absent."""
        return None if self.data.get(key) is None else self.text(key)

    def choice(self, key: str, known: frozenset[str]) -> str:
        """Return one of the values we know. A new one must be looked at before it is acted on."""
        value = self.text(key)
        if value not in known:
            named = repr(value) if WORD.fullmatch(value) else "that is not even a word"
            raise PayloadError(f"{self.where}.{key}: unknown value {named}")
        return value

    def number(self, key: str, default: int | None = None) -> int:
        """Return a whole number; ``default`` when it is null or absent and a default is given."""
        if self.data.get(key) is None and default is not None:
            return default
        value: int = self._typed(key, int)
        if isinstance(value, bool) or not -(2**63) <= value < 2**63:
            raise PayloadError(f"{self.where}.{key}: not a usable number")
        return value

    def optional_number(self, key: str) -> int | None:
        """Return a whole number, or ``None`` when it is null or absent."""
        return None if self.data.get(key) is None else self.number(key)

    def flag(self, key: str, default: bool = False) -> bool:
        """Return true or false; ``default`` when it is null or absent."""
        if self.data.get(key) is None:
            return default
        value: bool = self._typed(key, bool)
        return value

    def moment(self, key: str) -> datetime:
        """Return a date with time, aware, in UTC."""
        value = self.optional_moment(key)
        if value is None:
            raise PayloadError(f"{self.where}.{key}: missing")
        return value

    def optional_moment(self, key: str) -> datetime | None:
        """Return a date with time, or ``None`` when it is null or absent."""
        try:
            return parse_datetime(self.data.get(key))
        except (ValueError, OverflowError):
            raise PayloadError(f"{self.where}.{key}: not a date") from None

    def mapping(self, key: str) -> dict[str, Any]:
        """Return an object; empty when it is null or absent."""
        return {} if self.data.get(key) is None else dict(self._typed(key, dict))

    def objects(self, key: str) -> list[dict[str, Any]]:
        """Return a list of objects; empty when it is null or absent."""
        items = [] if self.data.get(key) is None else self._typed(key, list)
        if not all(isinstance(item, dict) for item in items):
            raise PayloadError(f"{self.where}.{key}: expected a list of objects")
        return list(items)

    def nested(self, key: str) -> "Reader | None":
        """Return a reader of the object at ``key``, or ``None`` when it is null or absent."""
        value = self.data.get(key)
        return None if value is None else Reader(value, f"{self.where}.{key}")

    def _typed(self, key: str, kind: type) -> Any:
        value = self.data.get(key)
        if not isinstance(value, kind):
            raise PayloadError(
                f"{self.where}.{key}: expected {type_name[kind]}, got {_kind(value)}"
            )
        return value


def _kind(value: object) -> str:
    """Say what kind of JSON this is."""
    return "nothing" if value is None else type_name.get(type(value), "a number")


def snapshot_fields(read: Reader, observed_at: datetime) -> dict[str, Any]:
    """Return the columns of ``models.Snapshot``; ``observed_at`` is when Polar showed the object."""
    created_at = read.moment("created_at")
    return {
        "polar_id": read.identifier("id"),
        "created_at": created_at,
        "modified_at": read.optional_moment("modified_at") or created_at,
        "observed_at": observed_at,
    }
