"""What every staff page says loudly, because somebody has to do something about it."""

from dataclasses import dataclass

from sqlalchemy import func, select

from saas.backoffice.overview import LATE_SECONDS
from saas.config import current
from saas.extensions import db
from saas.jobs import heartbeat
from saas.kit.datetimes import utcnow
from saas.webhooks.models import Delivery


@dataclass(frozen=True)
class Alarm:
    """One thing that is wrong, and what it means."""

    title: str
    text: str


def alarms() -> list[Alarm]:
    """Return what is wrong right now. Costs two looks at the end of an index."""
    return [*_stopped_worker(), *_late_deliveries()]


def _stopped_worker() -> list[Alarm]:
    if current().jobs_address == "inline":  # Nobody is needed then.
        return []
    if not heartbeat.is_missed(heartbeat.silence()):
        return []
    seen = heartbeat.last_seen()
    last = (
        f"The last one was seen on {seen:%Y-%m-%d at %H:%M} UTC."
        if seen
        else "There never was one."
    )
    return [
        Alarm(
            "No worker is running",
            f"{last} Web processes do the small jobs meanwhile; the nightly comparison with Polar waits. "
            "Start it with: flask worker",
        )
    ]


def _late_deliveries() -> list[Alarm]:
    oldest = db.session.scalar(
        select(func.min(Delivery.received_at)).where(Delivery.handled_at.is_(None))
    )
    if oldest is None or (utcnow() - oldest).total_seconds() < LATE_SECONDS:
        return []
    return [
        Alarm(
            "Deliveries wait to be handled",
            f"The oldest came on {oldest:%Y-%m-%d at %H:%M} UTC. Look at the failed ones, and replay "
            "them once the reason is gone.",
        )
    ]
