"""Time travel: moving the clock, with everything that is due on the way, in order."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from polar_emulator import deliveries, jobs
from polar_emulator.clock import parse, stamp
from polar_emulator.handlers import HANDLERS
from polar_emulator.rules import periods
from polar_emulator.store import Doc
from polar_emulator.world import World

LONGEST_STEP = timedelta(days=3660)
# Deliveries are made before the clock jumps further than this, so that a receiver that asks back
# sees the world of its event. What lies closer together is made side by side.
LULL = timedelta(minutes=1)
PATIENCE_SECONDS = 30.0
PAGE = 50
CHOICES = ("advance_seconds", "days", "months", "until", "next")


class ClockError(ValueError):
    """A time that the clock cannot be moved to; the text is one sentence."""


def advance(world: World, moment: datetime) -> None:
    """Move the clock forward to a moment: renewals, retries, trials, expiries happen on their day.

    Slow receivers are waited for, in all half a minute at most.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    with world.stepping, _travelling(world):
        jobs.settle(world, HANDLERS)
        while True:
            target = min(_next_stop(world) or moment, moment)
            if target - world.now() > LULL and _wait_for_deliveries(world, deadline):
                continue  # An answer may have brought something that is due earlier.
            world.move_to(target)
            jobs.settle(world, HANDLERS)
            if target >= moment:
                break
    world.wake()


def next_event(world: World) -> datetime | None:
    """When something happens next, None when nothing is planned."""
    return _earliest(world, next(iter(planned(world, 1)), None))


def planned(world: World, limit: int) -> list[Doc]:
    """The next things on the calendar, without retries of deliveries and what has become idle."""
    found: list[Doc] = []
    place = 0
    while len(found) < limit:
        jobs_there = world.store.find(
            "job", {"soon": False}, order="next_at,seq", limit=PAGE, offset=place
        )
        found += [job for job in jobs_there if not _is_idle(world, job)]
        place += PAGE
        if len(jobs_there) < PAGE:
            break
    return found[:limit]


def destination(world: World, given: dict[str, Any]) -> datetime:
    """The moment that a request names in one of five ways. ClockError when it cannot be gone to.

    `advance_seconds`, `days` and `months` are numbers, `until` an ISO 8601 text, `next` is true.
    """
    if unknown := sorted(set(given) - set(CHOICES)):
        raise ClockError(f"There is no {unknown[0]}: name one of {', '.join(CHOICES)}.")
    chosen = [name for name in CHOICES if given.get(name) is not None]
    if len(chosen) > 1:
        raise ClockError(f"Name one of {', '.join(CHOICES)}.")
    now = world.now()
    moment = _READERS[chosen[0]](world, now, given[chosen[0]]) if chosen else now
    if moment < now:
        raise ClockError("The clock only moves forward; a reset brings it back.")
    if moment - now > LONGEST_STEP:
        raise ClockError("Move the clock by ten years at most.")
    return moment


@contextlib.contextmanager
def _travelling(world: World) -> Iterator[None]:
    world.travelling = True
    try:
        yield
    finally:
        world.travelling = False


def _wait_for_deliveries(world: World, deadline: float) -> bool:
    """Wait until nothing is due for delivery; whether there was anything to wait for."""
    if not deliveries.due(world):
        return False
    world.wake()
    return jobs.wait_until(lambda: not deliveries.due(world), deadline - time.monotonic())


def _next_stop(world: World) -> datetime | None:
    """When the next thing is due that has not happened yet, even if nothing comes of it."""
    return _earliest(world, world.store.first("job", {"soon": False}, order="next_at,seq"))


def _earliest(world: World, job: Doc | None) -> datetime | None:
    """The moment of a job or of the next retry of a delivery, whichever is earlier."""
    retry = world.store.first(
        "webhook_event", {"next_at >=": _stamp_of_retries(world)}, order="next_at,seq"
    )
    late = timedelta(seconds=world.faults.delay_webhooks_seconds)
    moments = [parse(job["next_at"])] if job else []
    moments += [parse(retry["next_at"]) + late] if retry else []
    return min(moments, default=None)


def _stamp_of_retries(world: World) -> str:
    """What is due for delivery before this is under way already."""
    return stamp(world.now() - timedelta(seconds=world.faults.delay_webhooks_seconds))


def _is_idle(world: World, job: Doc) -> bool:
    """Whether nothing will come of a job: the checkout that it ends has been bought."""
    if job["name"] != "checkout.expire":
        return False
    checkout = world.store.get("checkout", job["arguments"]["checkout_id"])
    return checkout is None or checkout["status"] != "open"


def _by_seconds(world: World, now: datetime, value: Any) -> datetime:
    return _plus(now, value, 1)


def _by_days(world: World, now: datetime, value: Any) -> datetime:
    return _plus(now, value, 86400)


def _by_months(world: World, now: datetime, value: Any) -> datetime:
    if not isinstance(value, int) or not 0 <= value <= 120:
        raise ClockError("months must be a whole number up to 120.")
    return periods.add(now, "month", value) if value else now


def _until(world: World, now: datetime, value: Any) -> datetime:
    try:
        return parse(str(value))
    except ValueError:
        raise ClockError("until must be a date like 2027-01-31 or 2027-01-31T12:00:00Z.") from None


def _to_next(world: World, now: datetime, value: Any) -> datetime:
    moment = next_event(world)
    if moment is None:
        raise ClockError("Nothing is planned.")
    return max(moment, now)


def _plus(now: datetime, value: Any, unit: int) -> datetime:
    try:
        return now + timedelta(seconds=float(value) * unit)
    except (TypeError, ValueError, OverflowError):
        raise ClockError("Name a number, ten years at most.") from None


_READERS = {
    "advance_seconds": _by_seconds,
    "days": _by_days,
    "months": _by_months,
    "until": _until,
    "next": _to_next,
}
