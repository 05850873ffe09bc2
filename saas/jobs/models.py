"""Jobs with what became of them, the workers that have shown themselves, and what they have counted."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Double, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from saas.kit.datetimes import UTCDateTime, utcnow
from saas.kit.models import Base

STATES = ("waiting", "running", "done", "failed")


class Job(Base):
    """One piece of work.

    ``arguments`` holds ids and addresses of our own pages, never a token or a text. A mail to somebody
    without an account needs an e-mail address: it is in ``recipient``, which is emptied when the job is done.
    ``dedupe_key`` lets the same work be asked for twice and done once. ``lane`` is for what must not run
    twice at the same time. A process that runs a job renews ``lease_until``; one that died does not.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_state_run_after", "state", "run_after"),
        Index("ix_jobs_state_finished_at", "state", "finished_at"),
        Index(
            "uq_jobs_running_lane",
            "lane",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
        Base.NUMBERS_ONCE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    recipient: Mapped[str | None] = mapped_column(String(254))
    dedupe_key: Mapped[str | None] = mapped_column(String(128), unique=True)
    lane: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    run_after: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    worker: Mapped[str | None] = mapped_column(String(128))
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Worker(Base):
    """A worker process, and when it was heard of last."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    version: Mapped[str] = mapped_column(String(64), default="")
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    last_seen: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow, index=True)


class Tally(Base):
    """What all workers together have counted of one thing, see ``tallies``. ``labels`` is JSON."""

    __tablename__ = "worker_tallies"

    sample: Mapped[str] = mapped_column(String(64), primary_key=True)
    labels: Mapped[str] = mapped_column(String(512), primary_key=True)
    value: Mapped[float] = mapped_column(Double)
