"""The courier: the thread that makes deliveries, oldest first, in small batches."""

from __future__ import annotations

import logging
import threading
import time

import httpx

from polar_emulator import deliveries
from polar_emulator.store import Doc
from polar_emulator.world import World

log = logging.getLogger(__name__)

NAP_SECONDS = 0.25
# Polar makes first attempts 0.3 to 0.8 s apart; here a little is enough to show the order, and
# nothing at all when many wait.
SPACING_SECONDS = 0.1
SPACED_BACKLOG = 20
# Outcomes are kept together, as each transaction costs as much as a delivery to a quick receiver.
BATCH = 25
GATHERING_SECONDS = 0.3
BATCH_SECONDS = 0.05


class Courier(threading.Thread):
    """Makes deliveries one at a time and in order of creation."""

    def __init__(self, world: World) -> None:
        super().__init__(name="polar-deliveries", daemon=True)
        self._world = world
        self._awake = world.add_listener()
        self._stopping = False

    def run(self) -> None:
        """Make deliveries until `stop`."""
        with httpx.Client(
            timeout=deliveries.TIMEOUT_SECONDS, follow_redirects=False, trust_env=False
        ) as client:
            while not self._stopping:
                self._awake.clear()
                waiting = self._deliver(client)
                if not waiting:
                    self._awake.wait(NAP_SECONDS)
                elif waiting <= SPACED_BACKLOG and not self._hurries():
                    time.sleep(SPACING_SECONDS)

    def stop(self) -> None:
        """End the thread after the delivery at hand."""
        self._stopping = True
        self._world.wake()
        self.join(timeout=1)

    def _hurries(self) -> bool:
        return self._world.settings.fast or self._world.travelling

    def _deliver(self, client: httpx.Client) -> int:
        """Make the next deliveries; returns how many were due."""
        due = deliveries.due(self._world, BATCH)
        if not due:
            return 0
        if self._world.faults.reorder_webhooks and len(due) < BATCH:
            # What is to be turned around has to be together first.
            time.sleep(GATHERING_SECONDS)
            due = deliveries.due(self._world, BATCH)
        spaced = len(due) <= SPACED_BACKLOG and not self._hurries()
        with self._world.delivering:
            self._make(client, due[:1] if spaced else due)
        return len(due)

    def _make(self, client: httpx.Client, due: list[Doc]) -> None:
        """Send until one fails or a moment has passed, and note all outcomes at once.

        A mistake of ours must not end the thread.
        """
        started, outcomes = time.monotonic(), []
        for event in due:
            try:
                outcomes += self._send(client, event["id"])
            except Exception:
                log.exception("delivery %s failed", event["id"])
                self._give_up(event["id"])
                break
            failed = outcomes and not outcomes[-1].succeeded
            if failed or time.monotonic() - started > BATCH_SECONDS:
                break
        deliveries.note(self._world, outcomes)
        self._world.wake()  # for those who watch how deliveries stand

    def _send(self, client: httpx.Client, key: str) -> list[deliveries.Outcome]:
        """Send once, or twice when that is the fault of the day."""
        times = 2 if self._world.faults.duplicate_webhooks else 1
        return [deliveries.send(self._world, client, key) for _ in range(times)]

    def _give_up(self, key: str) -> None:
        with self._world.store.transaction():
            event = self._world.store.get("webhook_event", key)
            if event is not None:
                self._world.touch("webhook_event", event, skipped=True, next_at=None)
