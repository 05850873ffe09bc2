"""Jobs that come by the clock. Time is cut into slots, and each slot has one job, however many workers look.

A worker that starts late does the slot that it is in; slots that nobody saw are left out.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from saas.extensions import db, start_write
from saas.jobs import outbox, registry
from saas.kit.datetimes import utcnow
from saas.kit.processes import PerProcess

Slot = Callable[[datetime], str]

_rhythms: dict[str, Slot] = {}
_asked_for: PerProcess[dict[str, str]] = PerProcess(dict)


def every(minutes: int) -> Slot:
    """A slot every so many minutes."""

    def slot(now: datetime) -> str:
        begin = now.timestamp() // (60 * minutes) * 60 * minutes
        return datetime.fromtimestamp(begin, now.tzinfo).strftime("%Y-%m-%dT%H:%M")

    return slot


def daily(hour: int) -> Slot:
    """One slot a day, which begins at this hour (UTC)."""

    def slot(now: datetime) -> str:
        return (now - timedelta(hours=hour)).date().isoformat()

    return slot


def at(name: str, rhythm: Slot) -> None:
    """Have the job of this name done in each slot of a rhythm."""
    _rhythms[name] = rhythm


def enqueue_due(*, in_web: bool = False) -> int:
    """Ask for the job of every slot that has begun. Returns how many were new."""
    now, asked_for = utcnow(), _asked_for.get()
    known = registry.names(in_web=in_web)
    slots = {name: rhythm(now) for name, rhythm in _rhythms.items() if name in known}
    fresh = {name: slot for name, slot in slots.items() if asked_for.get(name) != slot}
    if not fresh:
        return 0
    start_write()
    ids = [outbox.enqueue(name, dedupe_key=f"{name}@{slot}") for name, slot in fresh.items()]
    db.session.commit()
    asked_for.update(fresh)
    return sum(job_id is not None for job_id in ids)
