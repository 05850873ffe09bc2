"""When many deliveries come at once they are answered first and applied right after, many in one transaction.

A delivery that comes alone is applied before it is answered. In a crowd that would make everybody wait
for everybody, so a thread of this process takes over: it lets the door go first, but applies something
once a second whatever happens, and ends when nothing is left. Should the process die, the
rows are in the inbox, and any other process finds them a minute later.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from saas.webhooks import applying

log = logging.getLogger(__name__)

BATCH = 100
LONGEST_WAIT_SECONDS = 1.0
NAP_SECONDS = 0.02


class Backlog:
    """What this process has stored and not applied yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: deque[int] = deque()
        self._visitors = 0
        self._is_draining = False
        self._thread: threading.Thread | None = None

    @contextmanager
    def visit(self) -> Iterator[None]:
        """Count a request at the door while it is there."""
        with self._lock:
            self._visitors += 1
        try:
            yield
        finally:
            with self._lock:
                self._visitors -= 1

    @property
    def is_quiet(self) -> bool:
        """True for somebody who is alone at the door, with nothing left to do from before."""
        return self._visitors == 1 and not self._is_draining

    def add(self, app: Flask, row_id: int) -> None:
        """Have a delivery applied as soon as the door is calm."""
        with self._lock:
            self._ids.append(row_id)
            if self._is_draining:
                return
            self._is_draining = True
        # Not a daemon: a worker that ends in good order finishes this first.
        self._thread = threading.Thread(target=self._drain, args=(app,), name="webhook-backlog")
        self._thread.start()

    def wait(self) -> None:
        """Return when everything that was put off has been applied."""
        if self._thread is not None:
            self._thread.join()

    def _drain(self, app: Flask) -> None:
        while True:
            self._wait_for_calm()
            with self._lock:
                batch = [self._ids.popleft() for _ in range(min(BATCH, len(self._ids)))]
                if not batch:
                    self._is_draining = False
                    return
            try:
                with app.app_context():
                    applying.apply(batch)
            except Exception:  # A thread that died here would keep everything after it waiting.
                log.exception("%s deliveries are left to the sweeper", len(batch))

    def _wait_for_calm(self) -> None:
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while self._visitors and time.monotonic() < deadline:
            time.sleep(NAP_SECONDS)
