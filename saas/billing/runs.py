"""How far a comparison of everything with Polar has come."""

from datetime import datetime, timedelta

from sqlalchemy import String, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from saas.extensions import db, start_write
from saas.kit.datetimes import UTCDateTime, utcnow
from saas.kit.models import Base

STALE = timedelta(days=1)  # A run that was interrupted longer ago begins anew.


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
    """Return the run that was interrupted less than a day ago, if there is one."""
    recent = SyncRun.started_at > utcnow() - STALE
    found = select(SyncRun).where(SyncRun.finished_at.is_(None), recent)
    return db.session.scalar(found.order_by(SyncRun.id.desc()).limit(1))


def started_at(run_id: int) -> datetime:
    """Return when a run began."""
    return db.session.get_one(SyncRun, run_id).started_at


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
