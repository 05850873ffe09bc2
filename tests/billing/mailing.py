"""States that a mail is due in, and what the outbox holds of it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask

from saas.config import current
from saas.kit.datetimes import utcnow

DAY = timedelta(days=1)
NOW = utcnow()
PRO = {"started_at": (NOW - 40 * DAY).isoformat()}
CANCELLED = PRO | {"cancel_at_period_end": True, "canceled_at": NOW.isoformat()}
ENDED = PRO | {"status": "canceled", "ended_at": NOW.isoformat(), "ends_at": NOW.isoformat()}
OWED = PRO | {"status": "past_due", "past_due_at": NOW.isoformat()}
TRIAL = {
    "status": "trialing",
    "started_at": (NOW - 11 * DAY).isoformat(),
    "trial_end": (NOW + 2 * DAY).isoformat(),
}
PAUSED = PRO | {"status": "paused", "resumes_at": (NOW + 2 * DAY).isoformat()}
STATES: dict[str, tuple[dict[str, Any], str]] = {
    "payment_failed": (OWED, "Your payment for Pro failed"),
    "trial_ending": (TRIAL, "Your free trial of Pro ends on"),
    "pause_ending": (PAUSED, "Pro resumes on"),
    "cancellation_confirmed": (CANCELLED, "Your plan Pro is cancelled"),
    "access_ended": (ENDED, "Your plan Pro has ended"),
}


def mails(app: Flask | None = None) -> list[str]:
    """What is in the outbox, one text for each mail."""
    folder = Path((app.extensions["settings"] if app else current()).mail_outbox_dir)
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.log"))]
    return [text for text in texts if "Subject:" in text]
