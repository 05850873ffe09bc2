"""Where no worker runs, a quiet thread of a web process does the small jobs: mails still go out.

It looks whether a worker has shown itself; as long as one has, it leaves everything to it. What takes long,
such as the comparison of all customers, waits for a worker.
"""

import logging
import threading
from datetime import timedelta

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from saas.extensions import db
from saas.jobs import heartbeat, leases, periodic, running
from saas.kit.processes import PerProcess
from saas.kit.spreading import spread

log = logging.getLogger(__name__)

LOOKS_EVERY_SECONDS = 15.0
PATIENCE = timedelta(seconds=1)  # A worker that has just started takes its jobs itself.
ENDS_WITHIN_SECONDS = 12.0  # A little longer than a mail server may take.


class _StandIn:
    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.thread: threading.Thread | None = None


_stand_in = PerProcess(_StandIn)


def start(app: Flask) -> None:
    """Begin to stand in. Call it in a web process, not before the fork."""
    mine = _stand_in.get()
    mine.thread = threading.Thread(
        target=_watch, args=(app, mine), name="jobs-standin", daemon=True
    )
    mine.thread.start()
    threading.Thread(
        target=leases.keep_renewing, args=(app, mine.stopped), name="jobs-leases", daemon=True
    ).start()


def stop(app: Flask) -> None:
    """Finish the job in hand and begin no other. What cannot be finished in time is done by others."""
    mine = _stand_in.get()
    mine.stopped.set()
    app.extensions["jobs"].called.set()
    if mine.thread is not None:
        mine.thread.join(ENDS_WITHIN_SECONDS)


def help_out(app: Flask, stopped: threading.Event | None = None) -> int:
    """Do the small jobs that are due, if no worker is there. Returns how many were done."""
    count = 0
    with app.app_context():
        try:
            while not (stopped and stopped.is_set()) and not heartbeat.worker_is_there():
                if not count:
                    running.take_back()
                    periodic.enqueue_due(in_web=True)
                if not running.run_next(PATIENCE, in_web=True):
                    break
                count += 1
        except SQLAlchemyError:
            db.session.rollback()
            log.exception("jobs could not be looked for; it is tried again in a moment")
    return count


def _watch(app: Flask, mine: _StandIn) -> None:
    called: threading.Event = app.extensions["jobs"].called
    while not mine.stopped.is_set():
        if called.wait(spread(LOOKS_EVERY_SECONDS, 0.7)):
            called.clear()
            mine.stopped.wait(PATIENCE.total_seconds() + 0.05)
        help_out(app, mine.stopped)
