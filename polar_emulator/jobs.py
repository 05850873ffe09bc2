"""Work for later: the pipeline behind a request, and what the calendar brings.

A `soon` job follows a request after a short delay, as Polar's workers do (fast mode leaves the
delay out but keeps the order). Any other job is due at a moment of the world's clock.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from polar_emulator.clock import parse, stamp
from polar_emulator.store import Doc
from polar_emulator.world import World

Handlers = dict[str, Callable[[World, Doc], None]]
log = logging.getLogger(__name__)

NAP_SECONDS = 0.25


def soon(world: World, name: str, seconds: float, **arguments: Any) -> Doc:
    """Run a job `seconds` from now."""
    return _add(world, name, world.now() + timedelta(seconds=seconds), soon=True, **arguments)


def at(world: World, name: str, moment: datetime, **arguments: Any) -> Doc:
    """Run a job when the world's clock reaches a moment."""
    return _add(world, name, moment, soon=False, **arguments)


def cancel(world: World, name: str, **arguments: Any) -> None:
    """Forget waiting jobs with this name and these arguments."""
    for job in world.store.find("job", {"name": name, **_inside(arguments)}):
        world.store.remove("job", job["id"])


def find(world: World, name: str, **arguments: Any) -> Doc | None:
    """A waiting job with this name and these arguments, or None."""
    return world.store.first("job", {"name": name, **_inside(arguments)})


def run_next(world: World, handlers: Handlers, *, hurry: bool = False) -> bool:
    """Run the job that is due first, if any; False when there is nothing to do.

    `hurry` runs soon jobs without their delay. A job and its removal are one transaction; a job
    that fails is dropped and logged, so that it cannot block the others.
    """
    with world.stepping:
        job = next_due(world, hurry=hurry)
        if job is None:
            return False
        try:
            with world.store.transaction():
                world.store.remove("job", job["id"])
                handlers[job["name"]](world, job["arguments"])
        except Exception:
            log.exception("job %s failed", job["name"])
            world.store.remove("job", job["id"])
    world.wake()
    return True


def next_due(world: World, *, hurry: bool = False) -> Doc | None:
    """The job to run now, or None."""
    store, now = world.store, stamp(world.now())
    ready: dict[str, Any] = {"soon": True, "held": False}
    if not (hurry or world.settings.fast):
        ready["next_at <="] = now
    follow_up = store.first("job", ready, order="next_at,seq")
    return follow_up or store.first("job", {"soon": False, "next_at <=": now}, order="next_at,seq")


def settle(world: World, handlers: Handlers) -> None:
    """Run everything that is due, and what it brings, without delays."""
    while run_next(world, handlers, hurry=True):
        pass


def release_held(world: World) -> None:
    """Let go of the jobs that were held back."""
    with world.store.transaction():
        for job in world.store.find("job", {"held": True}):
            world.store.put("job", {**job, "held": False})
    world.wake()


class Worker(threading.Thread):
    """The thread that runs jobs when they are due."""

    def __init__(self, world: World, handlers: Handlers) -> None:
        super().__init__(name="polar-jobs", daemon=True)
        self._world = world
        self._handlers = handlers
        self._awake = world.add_listener()
        self._stopping = False

    def run(self) -> None:
        """Run jobs until `stop`."""
        while not self._stopping:
            self._awake.clear()
            if not run_next(self._world, self._handlers):
                self._awake.wait(self._nap())

    def stop(self) -> None:
        """End the thread after the job at hand."""
        self._stopping = True
        self._world.wake()
        self.join(timeout=5)

    def _nap(self) -> float:
        job = self._world.store.first("job", {"held": False}, order="next_at,seq")
        if job is None:
            return NAP_SECONDS
        wait = (parse(job["next_at"]) - self._world.now()).total_seconds()
        return min(max(wait, 0.001), NAP_SECONDS)


def wait_until(condition: Callable[[], bool], timeout: float) -> bool:
    """Poll a condition until it holds; False when the time is up."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _add(world: World, name: str, moment: datetime, *, soon: bool, **arguments: Any) -> Doc:
    held = name == "checkout.process" and world.faults.hold_confirmed
    job: Doc = {
        "id": world.new_id(),
        "name": name,
        "soon": soon,
        "held": held,
        "next_at": stamp(moment),
        "arguments": arguments,
    }
    return world.store.put("job", job)


def _inside(arguments: dict[str, Any]) -> dict[str, Any]:
    return {f"arguments.{name}": value for name, value in arguments.items()}
