"""Is everything in order? Each check says so by itself; two of them decide whether this process can serve."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from saas import schema
from saas.config import current
from saas.extensions import db
from saas.jobs import heartbeat, records
from saas.kit import patience
from saas.kit.datetimes import utcnow
from saas.webhooks.models import Delivery

LATE_DELIVERY = timedelta(minutes=15)  # The retries of one minute and of two have passed.
ANSWER_SECONDS = 2.0  # A load balancer asks every few seconds and wants to know now.
LATE_JOB = timedelta(minutes=2)


@dataclass(frozen=True)
class Check:
    """What one look has found."""

    is_ok: bool
    facts: dict[str, Any] = field(default_factory=dict)


def vital() -> dict[str, Check]:
    """Without these no page can be served, so a load balancer should look elsewhere."""
    database = _carefully(_database)
    # Who does not answer is not asked twice.
    migrations = _carefully(_migrations) if database.is_ok else database
    return {"database": database, "migrations": migrations}


def desirable() -> dict[str, Check]:
    """Somebody should be told of these; another web process would be no better off."""
    checks: dict[str, Callable[[], Check]] = {
        "worker": _worker,
        "deliveries": _deliveries,
        "jobs": _jobs,
    }
    return {name: _carefully(check) for name, check in checks.items()}


def _carefully(check: Callable[[], Check]) -> Check:
    """A database that is away is no bug, and its words may hold an address."""
    try:
        with patience.within(ANSWER_SECONDS):
            return check()
    except SQLAlchemyError as error:
        return Check(False, {"error": type(error).__name__})
    finally:
        db.session.rollback()


def _database() -> Check:
    db.session.execute(text("SELECT 1"))
    return Check(True)


def _migrations() -> Check:
    at = schema.found()
    if schema.is_enough(at):
        return Check(True, {"at": sorted(at)})
    return Check(False, {"at": sorted(at), "run": schema.COMMAND})


def _worker() -> Check:
    if current().runs_jobs_inline:
        return Check(True, {"inline": True})
    quiet = heartbeat.silence()
    return Check(not heartbeat.is_missed(quiet), {"seen_seconds_ago": in_seconds(quiet)})


def _deliveries() -> Check:
    seconds = age(oldest_unhandled())
    return Check(
        (seconds or 0) < LATE_DELIVERY.total_seconds(), {"oldest_unhandled_seconds": seconds}
    )


def _jobs() -> Check:
    figures = records.figures()
    seconds = age(figures.oldest_due)
    facts = {"oldest_due_seconds": seconds, "waiting": figures.waiting, "failed": figures.failed}
    return Check((seconds or 0) < LATE_JOB.total_seconds(), facts)


def oldest_unhandled() -> datetime | None:
    """Return when the delivery came that waits longest to be applied, the ones that gave up included."""
    open_ones = Delivery.outcome.in_(("received", "failed"))
    return db.session.scalar(select(func.min(Delivery.received_at)).where(open_ones))


def age(moment: datetime | None) -> float | None:
    """Return the seconds since a moment."""
    return None if moment is None else in_seconds(utcnow() - moment)


def in_seconds(span: timedelta | None) -> float | None:
    """Return how many seconds that is."""
    return None if span is None else round(span.total_seconds(), 1)
