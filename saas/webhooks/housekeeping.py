"""What the inbox does by the clock; ``saas.timetable`` says when."""

from saas.config import current
from saas.jobs import handler
from saas.webhooks import records

OLD_DELIVERIES = "webhooks.old_deliveries"


@handler(OLD_DELIVERIES, one_at_a_time=True)
def prune() -> None:
    """Delete deliveries that were handled long ago."""
    records.prune(current().webhook_retention_days)
