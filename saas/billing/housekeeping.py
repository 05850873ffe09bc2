"""What billing does by the clock; ``saas.timetable`` says when."""

import logging
from datetime import timedelta

from sqlalchemy import delete, select

from saas.billing import address_at_polar, address_news, notices, pace, reconcile, survey
from saas.billing.models import Notice
from saas.extensions import db, start_write
from saas.jobs import handler
from saas.kit.datetimes import utcnow

log = logging.getLogger(__name__)

NOTICES = "billing.notices"
ADDRESSES = "billing.addresses"
CATALOGUE = "billing.catalogue"
COMPARISON = "billing.comparison"
OLD_NOTICES = "billing.old_notices"

NOTICES_KEPT = timedelta(
    days=400
)  # A notice keeps its mail from being sent again, for a yearly plan, too.
CHUNK = 500
UNTIL_THE_NEXT = 3  # By then the next slot comes, with a job of its own.


@handler(NOTICES, one_at_a_time=True, attempts=UNTIL_THE_NEXT)
def send_notices() -> None:
    """Find the mails that time alone makes due."""
    notices.run()


@handler(ADDRESSES, one_at_a_time=True, attempts=UNTIL_THE_NEXT)
def tell_addresses() -> None:
    """Tell Polar the new addresses that it has not heard of."""
    with pace.keeping(pace.for_this_polar()):
        address_news.run()


@handler(CATALOGUE, one_at_a_time=True, attempts=UNTIL_THE_NEXT)
def refresh_catalogue() -> None:
    """Read all products, in case an event about one never came."""
    with pace.keeping(pace.for_this_polar()):
        reconcile.refresh_catalogue()


@handler(COMPARISON, one_at_a_time=True, in_web=False)
def compare_everything() -> None:
    """Compare every customer with Polar and heal what is different. Goes on where a run was interrupted."""
    with pace.keeping(pace.for_this_polar()):
        plan = survey.prepare()
        log.info("comparing everything with Polar: %s calls", plan.calls)
        found = survey.run(plan, lambda _calls: None)
    for difference in found:
        log.warning("our copy differed from Polar: %s", difference.without_values())


@handler(OLD_NOTICES)
def prune_notices() -> None:
    """Forget the mails that were sent long ago.

    An address that was offered, or given up, stays noted as long as it is news to nobody: without that it
    would be offered once more.
    """
    old = select(Notice.id).where(Notice.sent_at < utcnow() - NOTICES_KEPT)
    old = old.where(Notice.kind != address_at_polar.KIND).limit(CHUNK)
    while True:
        start_write()
        ids = list(db.session.scalars(old))
        db.session.execute(delete(Notice).where(Notice.id.in_(ids)))
        db.session.commit()
        if len(ids) < CHUNK:
            return
