"""Which jobs this process has in hand, and for how long it may keep them without a word."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import ColumnElement, update
from sqlalchemy.exc import SQLAlchemyError

from saas.extensions import db, shared_now, start_write
from saas.jobs.models import Job
from saas.kit.processes import PerProcess, new_name

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)  # So late others take over what a dead process had in hand.
RENEWED_EVERY_SECONDS = 8.0


@dataclass
class _Hand:
    owner: str = field(default_factory=new_name)
    held: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


_hand = PerProcess(_Hand)


def owner() -> str:
    """Return the name of this process, which no other one has or had."""
    return _hand.get().owner


def until() -> ColumnElement[datetime]:
    """Return, as part of a statement, when a lease taken now runs out."""
    return shared_now(LEASE)


def has_run_out() -> ColumnElement[bool]:
    """The condition under which nobody has said for too long that a job is still being done."""
    return (Job.state == "running") & (Job.lease_until < shared_now())


@contextmanager
def holding(job_id: int) -> Iterator[None]:
    """Keep the lease of a job while it is being done, as long as somebody calls ``renew``."""
    hand = _hand.get()
    with hand.lock:
        hand.held.add(job_id)
    try:
        yield
    finally:
        with hand.lock:
            hand.held.discard(job_id)


def renew() -> None:
    """Say of everything in hand that it is still being done."""
    hand = _hand.get()
    with hand.lock:
        held = list(hand.held)
    if not held:
        return
    start_write()
    statement = update(Job).where(
        Job.id.in_(held), Job.state == "running", Job.worker == hand.owner
    )
    values = statement.values(lease_until=until())
    db.session.execute(values.execution_options(synchronize_session=False))
    db.session.commit()


def keep_renewing(app: Flask, stopped: threading.Event) -> None:
    """Renew in regular intervals until told to stop. Made to be the whole of a thread."""
    while not stopped.wait(RENEWED_EVERY_SECONDS):
        with app.app_context():
            try:
                renew()
            except SQLAlchemyError:
                db.session.rollback()
                log.exception("the leases of jobs could not be renewed; it is tried again")
