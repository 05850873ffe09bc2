"""How far a comparison of everything with Polar has come."""

from datetime import datetime, timedelta

from sqlalchemy import String, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from saas.extensions import db, start_write
from saas.kit.datetimes import UTCDateTime, utcnow
from saas.kit.models import Base

STALE = timedelta(hours=12)  # Long enough for a day at work; the run of the next night begins anew.


class SyncRun(Base):
    """One run of ``survey``: the list that it is in, and the last page of it that is done."""

    __tablename__ = "billing_sync_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    stage: Mapped[str] = mapped_column(String(32))
    page: Mapped[int] = mapped_column(default=0)
    differences: Mapped[int] = mapped_column(default=0)


def interrupted() -> SyncRun | None:
    """Return the last run, if it was interrupted and began less than ``STALE`` ago.

    Earlier ones are of no interest, whatever became of them.
    """
    last = db.session.scalar(select(SyncRun).order_by(SyncRun.id.desc()).limit(1))
    if last is None or last.finished_at or last.started_at <= utcnow() - STALE:
        return None
    return last


def change(run_id: int, **changes: object) -> None:
    """Write down how far a run has come, in a transaction of its own."""
    start_write()
    db.session.execute(
        update(SyncRun).where(SyncRun.id == run_id).values(changes)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    db.session.commit()


def last_finished() -> datetime | None:
    """Return when the last complete survey ended."""
    moment: datetime | None = db.session.scalar(select(func.max(SyncRun.finished_at)))
    return moment
