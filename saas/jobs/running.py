"""Do a job: claim it, so that nobody else does, call its function, note what became of it.

A claim is a row that says ``running`` with a lease. Whoever finds the lease run out may claim it anew, so
that nothing is lost with a process that dies.
"""

import logging
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.exc import IntegrityError

from saas.errors import AppError
from saas.extensions import db, start_write
from saas.jobs import leases, registry
from saas.jobs.models import Job
from saas.kit import redaction, trouble
from saas.kit.datetimes import utcnow
from saas.observability import context, metrics

log = logging.getLogger(__name__)

FIRST_RETRY = timedelta(seconds=30)
LAST_RETRY = timedelta(hours=6)
AT_ONCE = timedelta()
ON_ITS_WAY = timedelta(seconds=2)  # Somebody was woken for a job that is younger than this.
CHOICE = 10  # Rows to choose from, so that several workers do not wait for each other.


@dataclass(frozen=True)
class Claim:
    """A job that is ours for now."""

    worker: str
    id: int
    name: str
    arguments: dict[str, Any]
    recipient: str | None
    attempts: int

    @property
    def is_ours(self) -> Any:
        """The condition under which the row still is what we claimed."""
        return (Job.id == self.id) & (Job.worker == self.worker) & (Job.attempts == self.attempts)


def run(job_id: int) -> bool:
    """Do this job, unless it is done, not due or somebody is at it. Returns whether it was ours to do."""
    claim = _claim(job_id)
    if claim is None:
        return False
    token = context.job_id.set(str(claim.id))
    try:
        with leases.holding(claim.id):
            _do(claim)
    finally:
        context.job_id.reset(token)
    return True


def run_next(overdue: timedelta = ON_ITS_WAY, *, in_web: bool = False) -> bool:
    """Do one job that has been due for so long. Returns false when there was none."""
    return any(run(job_id) for job_id in _due(overdue, in_web))


def take_back() -> int:
    """Let the jobs of processes that died be done by others. Returns how many there were."""
    start_write()
    expired = select(Job.id, Job.name, Job.attempts).where(leases.has_run_out())
    rows = db.session.execute(expired.with_for_update(skip_locked=True)).all()
    for job_id, name, attempts in rows:
        log.warning("job %s (%s) was left behind by a process that died", job_id, name)
        found = registry.kind(name)
        used_up = attempts >= (found.attempts if found else registry.ATTEMPTS)
        metrics.job_ended(name, "failed" if used_up else "left behind")
        values: dict[str, Any] = {"state": "waiting", "run_after": utcnow(), "lease_until": None}
        if used_up:
            values |= {"state": "failed", "finished_at": utcnow()}
            values["error"] = "The process that did it died, every time."
        _update(Job.id == job_id, **values)
    db.session.commit()
    return len(rows)


def give_back() -> None:
    """Let others do at once what this process has not finished, because it ends now."""
    start_write()
    _update(
        (Job.state == "running") & (Job.worker == leases.owner()),
        state="waiting",
        run_after=utcnow(),
        lease_until=None,
    )
    db.session.commit()


def wait_before(attempt: int) -> timedelta:
    """Return how long to wait before this try, counted from two."""
    doubled: int = 2 ** min(attempt - 2, 20)
    return min(FIRST_RETRY * doubled, LAST_RETRY)


def _due(overdue: timedelta, in_web: bool) -> Sequence[int]:
    now = utcnow()
    busy = select(Job.lane).where(Job.state == "running", Job.lane.is_not(None))
    found = (
        select(Job.id)
        .where(Job.state == "waiting", Job.run_after <= now - overdue)
        .where(or_(Job.lane.is_(None), Job.lane.not_in(busy)))
        .where(Job.name.in_(registry.names(in_web=in_web)))
        .order_by(Job.run_after, Job.id)
        .limit(CHOICE)
    )
    ids = db.session.scalars(found).all()
    db.session.rollback()
    return ids


def _claim(job_id: int) -> Claim | None:
    now, worker = utcnow(), leases.owner()
    statement = (
        update(Job)
        .where(Job.id == job_id, Job.state == "waiting", Job.run_after <= now)
        .where(Job.name.in_(registry.names(in_web=False)))
        .values(state="running", started_at=now, lease_until=leases.until(), worker=worker)
        .values(attempts=Job.attempts + 1)
        .returning(Job.id, Job.name, Job.arguments, Job.recipient, Job.attempts)
        .execution_options(synchronize_session=False)
    )
    start_write()
    try:
        row = db.session.execute(statement).one_or_none()
        db.session.commit()
    except IntegrityError:  # Another one in its lane is running.
        db.session.rollback()
        return None
    return Claim(worker, *row) if row else None


def _do(claim: Claim) -> None:
    kind = registry.kind(claim.name)
    assert kind is not None  # noqa: S101 - only known kinds are claimed
    given = {"recipient": claim.recipient} if claim.recipient else {}
    started = time.perf_counter()
    try:
        kind.function(**claim.arguments, **given)
        is_ours = _finish(claim)
    except Exception as error:
        db.session.rollback()
        is_over = isinstance(error, registry.GiveUp) or claim.attempts >= kind.attempts
        _note_failure(claim, error, is_over)
    else:
        taken = time.perf_counter() - started
        metrics.job_ended(claim.name, "done" if is_ours else "left behind")
        if is_ours:
            log.info("job %s (%s) is done, after %.3f s", claim.id, claim.name, taken)
        else:
            log.warning("job %s (%s) was taken from us, after %.3f s", claim.id, claim.name, taken)
    finally:
        db.session.remove()


def _finish(claim: Claim) -> bool:
    """Note that it is done, in the transaction that its function left open, if it left one.

    Returns false, and undoes what that transaction wrote, when others have taken it over meanwhile.
    """
    if not _is_writing():
        db.session.commit()
        start_write()
    done = {"state": "done", "finished_at": utcnow(), "recipient": None, "error": None}
    if _update(claim.is_ours, **done, lease_until=None):
        db.session.commit()
        return True
    db.session.rollback()
    return False


def _is_writing() -> bool:
    """True when the open transaction may write: on SQLite one that began by reading may not any more."""
    if not db.session().in_transaction():
        return False
    if db.engine.dialect.name != "sqlite":
        return True
    return db.session.connection().get_execution_options().get("sqlite_begin") == "IMMEDIATE"


def _note_failure(claim: Claim, error: Exception, is_over: bool) -> None:
    metrics.job_ended(claim.name, "failed" if is_over else "to be tried again")
    no_database = trouble.reason(error)
    expected = no_database or isinstance(error, AppError | registry.GiveUp)
    what = "failed" if is_over else "will be tried again"
    log.log(
        logging.ERROR if is_over else logging.WARNING,
        "job %s (%s) %s: %s",
        claim.id,
        claim.name,
        what,
        redaction.redact(f"{type(error).__name__}: {no_database or error}"),
        exc_info=None if expected else error,
    )
    now = utcnow()
    values: dict[str, Any] = {"error": _evidence(error), "lease_until": None}
    if is_over:
        values |= {"state": "failed", "finished_at": now}
    else:
        values |= {"state": "waiting", "run_after": _next_try(claim, error, now)}
    start_write()
    _update(claim.is_ours, **values)
    db.session.commit()


def _next_try(claim: Claim, error: Exception, now: datetime) -> datetime:
    """Return when to try again: as late as the other side asked for, if it asked."""
    asked = getattr(error, "retry_after", None) or 0
    wait = wait_before(claim.attempts + 1)
    return now + max(wait, timedelta(seconds=asked))


def _evidence(error: Exception) -> str:
    """Return the sentence first, then where it came from, without anything personal or secret."""
    text = f"{error}\n\n{''.join(traceback.format_exception(error))}"
    clean = text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")
    return redaction.redact(clean)


def _update(condition: Any, **values: Any) -> int:
    statement = update(Job).where(condition).values(values)
    result = db.session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)  # noqa: S101 - what an UPDATE returns
    return result.rowcount
