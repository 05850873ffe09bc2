"""Real workers: ``flask worker`` as a process of its own, on the database of the tests."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from flask import Flask

from saas.config import ROOT, Settings
from saas.extensions import db
from saas.jobs.models import Job

COMMAND = ["--app", "wsgi", "worker"]
# A worker on a machine whose clock is wrong by so many seconds.
ASTRAY = """
import runpy, sys, time
import time_machine
time_machine.travel(time.time() + float(sys.argv.pop(1)), tick=True).start()
runpy.run_module("flask", run_name="__main__")
"""


class Worker:
    """A running worker and what it prints."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def output(self) -> str:
        """Everything it has printed so far."""
        return self._log.read_text(encoding="utf-8")

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 20) -> int:
        """Ask it to end and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


@contextmanager
def working(
    app: Flask, log: Path, *, seconds_ahead: float = 0, **environment: str
) -> Iterator[Worker]:
    """A worker with the settings of an application, on a machine whose clock is ahead by so much."""
    python = ["-c", ASTRAY, str(seconds_ahead)] if seconds_ahead else ["-m", "flask"]
    with log.open("wb") as output:
        process = _start(python, app.extensions["settings"], output, environment)
        worker = Worker(process, log)
        try:
            eventually(lambda: "Working," in worker.output or process.poll() is not None)
            assert process.poll() is None, worker.output
            yield worker
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def eventually(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something is so; fail when it is not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def job_in(app: Flask, job_id: int) -> Job:
    """Return a job as the database has it now."""
    with app.app_context():
        job = db.session.get_one(Job, job_id)
        db.session.expunge(job)
        return job


def _start(
    python: list[str], settings: Settings, output: IO[bytes], changes: dict[str, str]
) -> "subprocess.Popen[bytes]":
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONUNBUFFERED": "1",
        "APP_ENV": settings.app_env,
        "SECRET_KEY": settings.secret_key,
        "DATABASE_URL": settings.database_url,
        "POLAR_API_URL": settings.polar_api_url,
        "JOBS_URL": settings.jobs_url,
        "MAIL_BACKEND": settings.mail_backend,
        "MAIL_SERVER": settings.mail_server,
        "MAIL_PORT": str(settings.mail_port),
        "MAIL_USE_TLS": "0",
        "MAIL_FROM": settings.mail_from,
        "MAIL_OUTBOX_DIR": settings.mail_outbox_dir,
        "WORKER_THREADS": "1",
    }
    return subprocess.Popen(
        [sys.executable, *python, *COMMAND],
        cwd=ROOT,
        env=environment | changes,
        stdout=output,
        stderr=subprocess.STDOUT,
    )
