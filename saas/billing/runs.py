"""How far a comparison of everything with Polar has come."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from saas.kit.datetimes import UTCDateTime, utcnow
from saas.kit.models import Base


class SyncRun(Base):
    """One run of ``survey``: the list that it is in, and the last page of it that is done."""

    __tablename__ = "billing_sync_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    stage: Mapped[str] = mapped_column(String(32))
    page: Mapped[int] = mapped_column(default=0)
    differences: Mapped[int] = mapped_column(default=0)
