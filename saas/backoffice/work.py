"""The jobs: what waits, what failed, who does them, and having one tried again."""

from collections.abc import Sequence

from saas import audit
from saas.backoffice import letters, paging
from saas.backoffice.letters import Filter
from saas.backoffice.paging import Page
from saas.extensions import db, start_write
from saas.jobs import enqueue, handler, records
from saas.jobs.models import Job
from saas.webhooks import inbox

REPLAY = "backoffice.replay"


def jobs(state: str, before: int | None) -> Page[Job]:
    """Return a page of jobs, the newest first."""
    found: Sequence[Job] = records.jobs(state or None, paging.ROWS + 1, before)
    return paging.cut(found, "before")


def retry(ids: list[int], actor: str) -> list[int]:
    """Have failed jobs tried anew, and waiting ones at once. Returns which."""
    start_write()
    found = records.retry(ids)
    if found:
        subject = f"job {found[0]}" if len(found) == 1 else ""
        audit.record("job.retried", subject, actor=actor, jobs=found)
    db.session.commit()
    return found


def replay_matching(wanted: Filter, actor: str) -> int:
    """Have a worker apply everything again that matches now, up to a bound. Returns how many."""
    ids = letters.matching(wanted)
    if not ids:
        return 0
    start_write()
    job_id = enqueue(REPLAY, ids=ids)
    audit.record(
        "delivery.replayed",
        "" if job_id is None else f"job {job_id}",
        actor=actor,
        filter=wanted.query,
        count=len(ids),
        newest=max(ids),
        oldest=min(ids),
    )
    db.session.commit()
    return len(ids)


@handler(REPLAY, attempts=3, one_at_a_time=True)
def replay(ids: list[int]) -> None:
    """Apply deliveries again, oldest first. What fails has its error in the inbox, not here."""
    for delivery_id in sorted(ids):
        inbox.replay(delivery_id)
