"""The clock: the machine's time until somebody moves it forward."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

MICROSECOND = timedelta(microseconds=1)


class Clock:
    """Aware UTC times that never repeat, shifted by an offset that only grows."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self._offset = offset
        self._last = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    @property
    def offset(self) -> timedelta:
        """How far this clock is ahead of the machine."""
        return self._offset

    def now(self) -> datetime:
        """The present. Each call returns a later moment, as no two recorded events share one."""
        with self._lock:
            self._last = max(datetime.now(UTC) + self._offset, self._last + MICROSECOND)
            return self._last

    def move_to(self, moment: datetime) -> None:
        """Go forward to a moment; one that has passed already is ignored."""
        with self._lock:
            ahead = moment - (datetime.now(UTC) + self._offset)
            if ahead > timedelta():
                self._offset += ahead

    def reset(self) -> None:
        """Back to the machine's time."""
        with self._lock:
            self._offset = timedelta()
            self._last = datetime.min.replace(tzinfo=UTC)


def stamp(moment: datetime) -> str:
    """A moment as Polar writes it: UTC, six digits of microseconds, a Z. Sorts as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> datetime:
    """The moment of an ISO 8601 text. ValueError when it is none."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
