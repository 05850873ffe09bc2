"""The world: what every request and every job works on."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from polar_emulator.clock import Clock, stamp
from polar_emulator.faults import Faults
from polar_emulator.settings import Settings
from polar_emulator.store import Doc, Store

REQUESTS_KEPT = 1000
CLOCK_KEY = "clock"
STOP_SECONDS = 2.0


class World:
    """Store, clock, settings and faults of one local Polar.

    `stepping` is held by whoever runs jobs, so that moving the clock and the background worker
    do not run them at the same time; `delivering` is held while a delivery is on its way.
    `travelling` is true while the clock is being moved, when nobody waits for effect. `stopping`
    is true from the moment when the process is to end.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.store)
        self.clock = Clock(self._kept_offset())
        self.faults = Faults(hold_confirmed=settings.hold_confirmed)
        self.requests: deque[dict[str, Any]] = deque(maxlen=REQUESTS_KEPT)
        self.stepping = threading.RLock()
        self.delivering = threading.Lock()
        self.travelling = False
        self.stopping = False
        self._listeners: list[threading.Event] = []
        self._watchers: list[threading.Event] = []
        self.public_url = settings.public_url.rstrip("/")

    @property
    def organization(self) -> Doc:
        """The one organisation of this store."""
        found = self.store.first("organization", {})
        if found is None:
            raise KeyError("organization")
        return found

    def now(self) -> datetime:
        """The present on the world's clock."""
        return self.clock.now()

    def stamp(self) -> str:
        """The present as text."""
        return stamp(self.clock.now())

    def new_id(self) -> str:
        """A fresh id."""
        return str(uuid.uuid4())

    def touch(self, kind: str, doc: Doc, **changes: Any) -> Doc:
        """Change a document, note the time in `modified_at`, keep it, and return it."""
        doc.update(changes, modified_at=self.stamp())
        return self.store.put(kind, doc)

    def move_to(self, moment: datetime) -> None:
        """Move the clock forward and remember it across restarts."""
        self.clock.move_to(moment)
        seconds = self.clock.offset.total_seconds()
        self.store.put("setting", {"id": CLOCK_KEY, "offset_seconds": seconds})

    def add_listener(self) -> threading.Event:
        """An event that is set whenever there may be work."""
        listener = threading.Event()
        self._listeners.append(listener)
        return listener

    @contextlib.contextmanager
    def watching(self) -> Iterator[threading.Event]:
        """An event that is set whenever something has happened, for as long as somebody looks."""
        watcher = threading.Event()
        self._watchers.append(watcher)
        try:
            yield watcher
        finally:
            self._watchers.remove(watcher)

    def wake(self) -> None:
        """Tell the background threads that there may be work, and those who watch."""
        for listener in (*self._listeners, *self._watchers):
            listener.set()

    def stop(self) -> None:
        """Send away those who watch, and wait until they have gone."""
        self.stopping = True
        self.wake()
        deadline = time.monotonic() + STOP_SECONDS
        while self._watchers and time.monotonic() < deadline:
            time.sleep(0.01)

    def _kept_offset(self) -> timedelta:
        kept = self.store.get("setting", CLOCK_KEY)
        return timedelta(seconds=kept["offset_seconds"] if kept else 0)
