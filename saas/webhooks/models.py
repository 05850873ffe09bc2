"""The inbox: every delivery whose signature was good, kept with what became of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from saas.kit.datetimes import UTCDateTime, utcnow
from saas.kit.models import Base

OUTCOMES = ("received", "applied", "ignored", "unknown", "failed")


class Delivery(Base):
    """One signed delivery. ``webhook_id`` is Polar's and the same in every repetition.

    ``customer_id`` is Polar's, of the customer it is about, if it is about one.
    """

    __tablename__ = "webhook_deliveries"
    # Each list of the staff pages reads one of these backwards from its newest row.
    __table_args__ = (
        Index("ix_webhook_deliveries_type_id", "type", "id"),
        Index("ix_webhook_deliveries_outcome_id", "outcome", "id"),
        Index("ix_webhook_deliveries_type_outcome_id", "type", "outcome", "id"),
        Index("ix_webhook_deliveries_customer_id_id", "customer_id", "id"),
        Index(
            "ix_webhook_deliveries_open",
            "received_at",
            sqlite_where=text("handled_at IS NULL"),
            postgresql_where=text("handled_at IS NULL"),
        ),
        Base.NUMBERS_ONCE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    webhook_id: Mapped[str] = mapped_column(String(255), unique=True)
    type: Mapped[str] = mapped_column(String(255))
    customer_id: Mapped[str | None] = mapped_column(String(36))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    headers: Mapped[dict[str, Any]] = mapped_column(JSON)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    outcome: Mapped[str] = mapped_column(String(16), default="received")
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    handled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
