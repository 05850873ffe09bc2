"""Look at the jobs, have one tried again, and clear away what ended long ago."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update

from saas.extensions import db, start_write
from saas.jobs import outbox
from saas.jobs.models import Job
from saas.kit.datetimes import utcnow

DONE_KEPT = timedelta(days=7)
FAILED_KEPT = timedelta(days=60)  # Somebody may be on holiday.
CHUNK = 500  # Rows in one transaction, so that nobody waits long for the pruning.


@dataclass(frozen=True)
class Figures:
    """How the jobs stand. ``oldest_due`` is when the one that waits longest could have begun."""

    waiting: int
    running: int
    failed: int
    oldest_due: datetime | None


def find(job_id: int) -> Job | None:
    """Return one job."""
    return db.session.get(Job, job_id)


def jobs(state: str | None = None, limit: int = 20, before: int | None = None) -> Sequence[Job]:
    """Return jobs, the newest first; ``before`` is the id to go on from."""
    query = select(Job).order_by(Job.id.desc()).limit(limit)
    if state:
        query = query.where(Job.state == state)
    if before is not None:
        query = query.where(Job.id < before)
    return db.session.scalars(query).all()


def figures() -> Figures:
    """Count what is not done. Only unfinished rows are looked at, by an index."""
    unfinished = ("waiting", "running", "failed")
    counted = select(Job.state, func.count()).where(Job.state.in_(unfinished)).group_by(Job.state)
    counts = {row[0]: int(row[1]) for row in db.session.execute(counted)}
    due = select(func.min(Job.run_after)).where(Job.state == "waiting", Job.run_after <= utcnow())
    return Figures(
        waiting=counts.get("waiting", 0),
        running=counts.get("running", 0),
        failed=counts.get("failed", 0),
        oldest_due=db.session.scalar(due),
    )


def retry(job_ids: Sequence[int]) -> list[int]:
    """Let failed jobs be tried anew, from the first attempt on; waiting ones at once. Returns which.

    The caller begins the transaction and commits it, together with the note of who asked.
    """
    statement = (
        update(Job)
        .where(Job.id.in_(job_ids), Job.state.in_(("failed", "waiting")))
        .values(state="waiting", attempts=0, run_after=utcnow(), finished_at=None)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    found = list(db.session.scalars(statement))
    outbox.tell_after_commit(found)
    return sorted(found)


def forget_done(dedupe_keys: Iterable[str]) -> None:
    """Let what was done under these keys be asked for again, as part of the present transaction."""
    db.session.execute(
        delete(Job).where(Job.state == "done", Job.dedupe_key.in_(dedupe_keys)),
        execution_options={"synchronize_session": False},
    )


def prune() -> int:
    """Delete what is done since a week, or failed since two months. Returns how many."""
    now = utcnow()
    old = select(Job.id).where(
        or_(
            (Job.state == "done") & (Job.finished_at < now - DONE_KEPT),
            (Job.state == "failed") & (Job.finished_at < now - FAILED_KEPT),
        )
    )
    count = 0
    while True:
        start_write()
        ids = list(db.session.scalars(old.limit(CHUNK)))
        db.session.execute(
            delete(Job).where(Job.id.in_(ids)),
            execution_options={"synchronize_session": False},
        )
        db.session.commit()
        count += len(ids)
        if len(ids) < CHUNK:
            return count
