"""``flask worker``: takes jobs from the queue and from the database until it is told to stop."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from flask import Flask
from huey.consumer import Consumer, Scheduler
from huey.consumer import Worker as HueyWorker
from sqlalchemy.exc import SQLAlchemyError

from saas.extensions import db
from saas.jobs import heartbeat, leases, periodic, running, tallies
from saas.jobs.transport import Transport

log = logging.getLogger(__name__)

LONGEST_NAP_SECONDS = 1.0  # Between two looks into a queue that cannot wake anybody (SQLite).
LOOKS_EVERY_SECONDS = 2.0  # Into the database, for what the queue lost and for what is due again.
CHECKS_EVERY_SECONDS = 1.0
REPEATS_EVERY_SECONDS = 60.0  # That the queue is away.


class JobWorker(HueyWorker):  # type: ignore[misc]
    """A thread of the consumer. Takes what the queue says; when that is nothing, what the database says."""

    def initialize(self) -> None:
        """Remember the application of the thread that started us."""
        self.app: Flask = self.huey.app
        self.looks_again = 0.0
        self.says_again: float | None = None  # While the queue is away.

    def loop(self, now: Any = None) -> None:
        """Do one job, or wait a little."""
        transport: Transport = self.app.extensions["jobs"]
        job_id = None
        try:
            job_id = transport.next_job()
            self._note_that_it_answers()
        except Exception as error:
            self._note_that_it_is_away(error)
            self.sleep()
        if self._do(job_id):
            self.delay = self.default_delay
        elif job_id is None and not self.huey.storage.blocking:
            self.sleep()

    def _note_that_it_is_away(self, error: Exception) -> None:
        if self.says_again is None or time.monotonic() > self.says_again:
            log.warning("the queue is away (%s); the database is asked", type(error).__name__)
            self.says_again = time.monotonic() + REPEATS_EVERY_SECONDS

    def _note_that_it_answers(self) -> None:
        if self.says_again is not None:
            log.info("the queue answers again")
            self.says_again = None

    def _do(self, job_id: int | None) -> bool:
        with self.app.app_context():
            try:
                if job_id is not None:
                    return running.run(job_id)
                if time.monotonic() < self.looks_again:
                    return False
                if running.run_next():
                    return True
            except Exception:  # The database is away, or a bug: neither may end the thread.
                db.session.rollback()
                log.exception("a job could not be begun or its end not be noted")
                self.stop_flag.wait(LOOKS_EVERY_SECONDS)
            self.looks_again = time.monotonic() + LOOKS_EVERY_SECONDS
            return False


class NoScheduler(Scheduler):  # type: ignore[misc]
    """What comes later or by the clock is in the database, so there is no schedule to read."""

    def loop(self, now: Any = None) -> None:
        """Wait for the end."""
        self.stop_flag.wait()


class JobConsumer(Consumer):  # type: ignore[misc]
    """The consumer of huey with our own threads."""

    worker_class = JobWorker
    scheduler_class = NoScheduler


def work(app: Flask, threads: int, patience: float, started: Callable[[], None]) -> None:
    """Work until SIGTERM or SIGINT, then finish the jobs in hand, for ``patience`` seconds at most.

    What is not finished by then, others do at once. A second signal ends the waiting.
    """
    huey: Any = app.extensions["jobs"].huey()
    huey.app = app
    consumer = JobConsumer(
        huey,
        workers=threads,
        periodic=False,
        max_delay=LONGEST_NAP_SECONDS,
        shutdown_timeout=patience,
    )
    stop, ended = threading.Event(), threading.Event()
    _tend(app)
    consumer.start()
    threading.Thread(target=_beat, args=(app, ended), name="jobs-heartbeat", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda n, f: _on_signal(n, f, stop))
    started()
    while not stop.wait(CHECKS_EVERY_SECONDS):
        consumer.check_worker_health()
    log.info("the worker ends when its jobs are done")
    consumer.stop(graceful=True)
    ended.set()
    _say_goodbye(app)


def _say_goodbye(app: Flask) -> None:
    with app.app_context():
        try:
            running.give_back()
            heartbeat.leave()
            tallies.save()
        except SQLAlchemyError:
            log.exception(
                "the end of this worker could not be noted; others see it in half a minute"
            )


def _on_signal(number: int, _frame: FrameType | None, stop: threading.Event) -> None:
    if stop.is_set():
        raise KeyboardInterrupt
    stop.set()


def _beat(app: Flask, ended: threading.Event) -> None:
    while not ended.wait(heartbeat.BEATS_EVERY_SECONDS):
        _tend(app)


def _tend(app: Flask) -> None:
    with app.app_context():
        try:
            heartbeat.beat()
            leases.renew()
            running.take_back()
            periodic.enqueue_due()
            tallies.save()
        except Exception:
            db.session.rollback()
            log.exception("the heartbeat failed; it is tried again in a moment")
