"""Keep a long job within Polar's rate limit, so that the customers at the pages are not locked out."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from saas.config import Settings, current

# Polar allows 500 calls a minute in production and 100 in the sandbox; the pages need their share.
CALLS_PER_MINUTE = {"production": 300, "sandbox": 60}
LOCAL_CALLS_PER_MINUTE = 60_000
PATIENCE = 5  # How often in a row one call may be told to come back later.


@dataclass
class Pace:
    """Lets calls through at an even rate. ``sleep`` and ``clock`` are in seconds."""

    per_minute: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    calls: int = 0
    _next: float = field(default=0.0, init=False)

    def take_turn(self) -> None:
        """Wait until the next call may be made."""
        now = self.clock()
        if self._next > now:
            self.sleep(self._next - now)
        self._next = max(now, self._next) + 60 / self.per_minute
        self.calls += 1

    def rest(self, seconds: float) -> None:
        """Polar asked us to stay away for so long."""
        self.sleep(seconds)


_pace: ContextVar[Pace | None] = ContextVar("pace", default=None)


def present() -> Pace | None:
    """Return the pace that calls have to keep here, or ``None`` while somebody waits for a page."""
    return _pace.get()


@contextmanager
def keeping(pace: Pace) -> Iterator[Pace]:
    """Make every call to Polar in this block keep the pace and wait out a ``Retry-After``."""
    token = _pace.set(pace)
    try:
        yield pace
    finally:
        _pace.reset(token)


def for_this_polar() -> Pace:
    """Return the pace for the Polar that is configured."""
    return Pace(calls_per_minute(current()))


def calls_per_minute(settings: Settings) -> float:
    """Return how many calls a long job may make in a minute."""
    if settings.polar_calls_per_minute:
        return settings.polar_calls_per_minute
    if settings.uses_local_polar:
        return LOCAL_CALLS_PER_MINUTE
    return CALLS_PER_MINUTE.get(settings.polar_server, 60)
