"""Write a job down in the transaction of its cause, and wake somebody once that is committed."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

from flask import Flask, current_app
from sqlalchemy import Table, event
from sqlalchemy.orm import Session, SessionTransaction

from saas.config import current
from saas.extensions import db, insert
from saas.jobs import registry, running, transport
from saas.jobs.models import Job
from saas.kit.datetimes import utcnow

log = logging.getLogger(__name__)

FRESH = "jobs.fresh"  # Where the session keeps the ids that nobody has been told of.
AT_ONCE = timedelta()


def init_app(app: Flask) -> None:
    """Give the application its way to the workers, and listen for commits."""
    app.extensions["jobs"] = transport.Transport(app.extensions["settings"].jobs_address)
    for moment, listener in (("after_commit", _tell), ("after_transaction_end", _forget)):
        if not event.contains(db.session, moment, listener):
            event.listen(db.session, moment, listener)


def enqueue(
    name: str,
    *,
    dedupe_key: str | None = None,
    recipient: str | None = None,
    delay: timedelta = AT_ONCE,
    **arguments: Any,
) -> int | None:
    """Ask for a job as part of the present transaction. Returns its id.

    Returns ``None`` when there is a job with this ``dedupe_key`` already, whatever its state. The transaction
    should have begun with ``start_write``, like every one that writes. The arguments become JSON.
    """
    found = registry.kind(name)
    if found is None:
        raise LookupError(f"there is no job named {name!r}")
    now = utcnow()
    table = cast(Table, Job.__table__)
    statement = insert(table).values(
        name=name,
        arguments=arguments,
        recipient=recipient,
        dedupe_key=dedupe_key,
        lane=found.lane,
        state="waiting",
        attempts=0,
        run_after=now + delay,
        created_at=now,
    )
    returning = statement.on_conflict_do_nothing(index_elements=["dedupe_key"]).returning(
        table.c.id
    )
    job_id: int | None = db.session.scalar(returning)
    if job_id is not None and not delay:
        tell_after_commit([job_id])
    return job_id


def tell_after_commit(job_ids: Iterable[int]) -> None:
    """Wake somebody for these jobs once the present transaction is committed."""
    db.session().info.setdefault(FRESH, []).extend(job_ids)


def _tell(session: Session) -> None:
    if session.in_nested_transaction():
        return
    ids: list[int] = session.info.pop(FRESH, [])
    if not ids:
        return
    if current().runs_jobs_inline:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        for job_id in ids:
            with app.app_context():  # A session of its own.
                running.run(job_id)
        return
    current_app.extensions["jobs"].wake(ids)


def _forget(session: Session, transaction: SessionTransaction) -> None:
    """What was rolled back is not to be done."""
    if transaction.parent is None:
        session.info.pop(FRESH, None)
