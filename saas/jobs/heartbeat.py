"""A worker shows itself every few seconds, so that its absence can be seen."""

import time
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, delete, func, select

from saas.config import current
from saas.extensions import db, insert, start_write
from saas.jobs import leases
from saas.jobs.models import Worker
from saas.kit.datetimes import utcnow
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
    now = utcnow()
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


def workers() -> list[Worker]:
    """Return the workers that have shown themselves lately, the newest first."""
    since = utcnow() - GONE_AFTER
    return list(
        db.session.scalars(
            select(Worker).where(Worker.last_seen > since).order_by(Worker.started_at.desc())
        )
    )


def worker_is_there() -> bool:
    """True when a worker has shown itself in the last half minute."""
    known = _answer.get()
    now = time.monotonic()
    if now >= known.get("until", 0.0):
        seen = last_seen()
        db.session.rollback()
        known["is_there"] = seen is not None and seen > utcnow() - GONE_AFTER
        known["until"] = now + KNOWN_FOR_SECONDS
    return bool(known["is_there"])


def forget_old() -> int:
    """Delete the rows of workers that died long ago. Returns how many."""
    start_write()
    old = delete(Worker).where(Worker.last_seen < utcnow() - FORGOTTEN_AFTER).returning(Worker.id)
    count = len(db.session.scalars(old.execution_options(synchronize_session=False)).all())
    db.session.commit()
    return count
