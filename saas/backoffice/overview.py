"""How things stand now: what waits, what failed, what arrived last, and when everything was compared."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from saas.billing import orphans
from saas.billing.comps import Comp, in_force
from saas.billing.orphans import Orphan
from saas.billing.runs import SyncRun
from saas.extensions import db
from saas.jobs import heartbeat, records
from saas.kit.datetimes import utcnow
from saas.webhooks.models import Delivery

COUNTED = 1000  # Nobody acts differently on more, and counting them would take long.
LATE_SECONDS = 300  # A delivery is applied at once; one that waits so long waits for somebody.


@dataclass(frozen=True)
class Overview:
    """The numbers of the first page."""

    unhandled: int
    oldest: datetime | None
    given_up: int
    last_delivery: Delivery | None
    last_run: SyncRun | None
    comps: int
    orphans: list[Orphan]
    jobs: records.Figures
    worker_seen: datetime | None

    @property
    def is_late(self) -> bool:
        """True when a delivery waits for longer than it should."""
        return self.oldest is not None and (utcnow() - self.oldest).total_seconds() > LATE_SECONDS


def overview() -> Overview:
    """Read the numbers. All but the orphans come from the end of an index, however long its table."""
    is_open = Delivery.handled_at.is_(None)
    given_up = (is_open, Delivery.outcome == "failed", Delivery.next_attempt_at.is_(None))
    newest = select(Delivery).order_by(Delivery.id.desc()).limit(1)
    return Overview(
        unhandled=_count(is_open),
        oldest=db.session.scalar(select(func.min(Delivery.received_at)).where(is_open)),
        given_up=_count(*given_up),
        last_delivery=db.session.scalar(newest),
        last_run=db.session.scalar(select(SyncRun).order_by(SyncRun.id.desc()).limit(1)),
        comps=db.session.scalar(select(func.count()).select_from(Comp).where(*in_force(utcnow())))
        or 0,
        orphans=orphans.found(),
        jobs=records.figures(),
        worker_seen=heartbeat.last_seen(),
    )


def _count(*conditions: object) -> int:
    """Count what matches, but not beyond ``COUNTED`` and one."""
    some = select(Delivery.id).where(*conditions).limit(COUNTED + 1).subquery()  # type: ignore[arg-type]
    return db.session.scalar(select(func.count()).select_from(some)) or 0
