"""A worker shows itself every few seconds, so that its absence can be seen."""

import time
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, delete, func, select

from saas.config import current
from saas.extensions import db, insert, shared_now, start_write
from saas.jobs import leases
from saas.jobs.models import Worker
from saas.kit.processes import PerProcess

BEATS_EVERY_SECONDS = 5.0
GONE_AFTER = timedelta(
    seconds=30
)  # Five beats missed; a busy disk or a long pause misses one or two.
FORGOTTEN_AFTER = timedelta(days=1)
KNOWN_FOR_SECONDS = 2.0  # A burst of new jobs does not ask the database each time.

_answer: PerProcess[dict[str, float | bool]] = PerProcess(dict)


def beat() -> None:
    """Say that this worker is there."""
    now = shared_now()
    values = {"id": leases.owner(), "version": current().release, "started_at": now}
    table = cast(Table, Worker.__table__)
    statement = insert(table).values(values | {"last_seen": now})
    start_write()
    db.session.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={"last_seen": now})
    )
    db.session.commit()


def leave() -> None:
    """Say that this worker ends, so that nobody waits for it."""
    start_write()
    db.session.execute(delete(Worker).where(Worker.id == leases.owner()))
    db.session.commit()


def last_seen() -> datetime | None:
    """Return when any worker has shown itself last, or ``None`` when none ever has."""
    return db.session.scalar(select(func.max(Worker.last_seen)))


def silence() -> timedelta | None:
    """Return for how long no worker has shown itself, or ``None`` when none ever has."""
    found = db.session.execute(select(shared_now(), func.max(Worker.last_seen))).one()
    return found[0] - found[1] if found[1] is not None else None


def is_missed(quiet: timedelta | None) -> bool:
    """True when a silence means that no worker is there."""
    return quiet is None or quiet >= GONE_AFTER


def workers() -> list[Worker]:
    """Return the workers that have shown themselves lately, the newest first."""
    lately = Worker.last_seen > shared_now(-GONE_AFTER)
    return list(db.session.scalars(select(Worker).where(lately).order_by(Worker.started_at.desc())))


def worker_is_there() -> bool:
    """True when a worker has shown itself in the last half minute."""
    known = _answer.get()
    now = time.monotonic()
    if now >= known.get("until", 0.0):
        quiet = silence()
        db.session.rollback()
        known["is_there"] = not is_missed(quiet)
        known["until"] = now + KNOWN_FOR_SECONDS
    return bool(known["is_there"])


def forget_old() -> int:
    """Delete the rows of workers that died long ago. Returns how many."""
    start_write()
    old = delete(Worker).where(Worker.last_seen < shared_now(-FORGOTTEN_AFTER)).returning(Worker.id)
    count = len(db.session.scalars(old.execution_options(synchronize_session=False)).all())
    db.session.commit()
    return count
