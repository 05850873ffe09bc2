"""Real workers as processes: two at once, killed, stopped, with a queue or a mail server that is away."""

import contextlib
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from saas.accounts import emails
from saas.extensions import db, start_write
from saas.jobs import enqueue, heartbeat, periodic, records
from saas.jobs.models import Job
from saas.kit.datetimes import utcnow
from tests.accounts.pages import EMAIL, mails
from tests.jobs.workers import eventually, job_in, working
from tests.kit.hanging import proxy_to

MANY = 500
REDIS = os.environ.get("REDIS_URL") or os.environ.get("TEST_REDIS_URL") or ""


def ask(app: Flask, count: int = 1) -> int:
    """Ask for that many mails; returns the last job."""
    with app.app_context():
        start_write()
        for number in range(count):
            last = enqueue(emails.NO_ACCOUNT, recipient=f"{number}-{EMAIL}", next_url=None)
        db.session.commit()
    assert last is not None
    return last


def states(app: Flask) -> dict[str, int]:
    query = select(Job.state, func.count()).where(Job.name == emails.NO_ACCOUNT)
    with app.app_context():
        return {row[0]: int(row[1]) for row in db.session.execute(query.group_by(Job.state))}


def recipients(app: Flask) -> Counter[str]:
    """Who got a mail, and how many: two may share a file."""
    folder = Path(app.extensions["settings"].mail_outbox_dir)
    lines = [line for path in folder.glob("*.log") for line in path.read_text().splitlines()]
    return Counter(line for line in lines if line.startswith("To: "))


@pytest.fixture(params=["beside the database", "redis"])
def any_queue_app(
    request: pytest.FixtureRequest, clean: None, make_app: Callable[..., Flask], tmp_path: Path
) -> Flask:
    if request.param == "redis":
        if not REDIS:
            pytest.skip("no Redis; REDIS_URL names one")
        return make_app(jobs_url=REDIS)
    url = make_app().extensions["settings"].database_url
    return make_app(jobs_url="" if url.startswith("postgres") else f"sqlite:///{tmp_path}/jobs.db")


def test_two_workers_do_each_of_many_once(any_queue_app: Flask, tmp_path: Path) -> None:
    """And what comes by the clock once as well."""
    app, began = any_queue_app, utcnow()
    with ExitStack() as stack:
        both = [
            stack.enter_context(working(app, tmp_path / name, WORKER_THREADS="2"))
            for name in ("one.log", "two.log")
        ]
        ask(app, MANY)
        eventually(lambda: states(app) == {"done": MANY}, 60)
        assert [worker.stop() for worker in both] == [0, 0]
    assert recipients(app) == {f"To: {n}-{EMAIL}": 1 for n in range(MANY)}
    mine = Job.name == emails.NO_ACCOUNT
    with app.app_context():
        assert set(db.session.scalars(select(Job.attempts).where(mine))) == {1}
        assert len(set(db.session.scalars(select(Job.worker).where(mine)))) == 2
        keys = list(db.session.scalars(select(Job.dedupe_key).where(Job.dedupe_key.is_not(None))))
        assert heartbeat.workers() == []
    begun, over = (
        {f"{name}@{slot(moment)}" for name, slot in periodic._rhythms.items()}
        for moment in (began, utcnow())
    )
    assert begun & over <= set(keys) <= begun | over  # A slot may end in the middle of it.


@pytest.fixture
def slow_smtp() -> Iterator["SlowServer"]:
    with SlowServer() as server:
        yield server


class SlowServer:
    """A mail server that takes a message only once it is told to."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = threading.Event()
        self.begun = 0
        self.taken = 0

    def __enter__(self) -> "SlowServer":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Refuse every connection from now on."""
        self.open.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as stream:

            def say(line: bytes) -> None:
                stream.write(line + b"\r\n")
                stream.flush()

            try:
                say(b"220 ready")
                for line in stream:
                    if line.upper().startswith(b"DATA"):
                        self.begun += 1
                        self.open.wait(30)
                        say(b"354 go on")
                        while next(stream) != b".\r\n":
                            pass
                        self.taken += 1
                    say(b"250 ok")
            except (OSError, StopIteration):
                return


@pytest.fixture
def smtp_app(queued_app: Flask, make_app: Callable[..., Flask], slow_smtp: SlowServer) -> Flask:
    return make_app(
        jobs_url=queued_app.extensions["settings"].jobs_url,
        mail_backend="smtp",
        mail_server="127.0.0.1",
        mail_port=slow_smtp.port,
        mail_use_tls=False,
    )


def test_killed_in_the_middle_another_finishes_it(
    smtp_app: Flask, slow_smtp: SlowServer, tmp_path: Path
) -> None:
    with working(smtp_app, tmp_path / "one.log") as first:
        job_id = ask(smtp_app)
        eventually(lambda: slow_smtp.begun == 1)
        first.kill()
    assert job_in(smtp_app, job_id).state == "running"
    slow_smtp.open.set()
    with smtp_app.app_context():  # Half a minute goes by.
        db.session.execute(update(Job).values(lease_until=utcnow() - timedelta(seconds=1)))
        db.session.commit()
    with working(smtp_app, tmp_path / "two.log") as second:
        eventually(lambda: job_in(smtp_app, job_id).state == "done")
        assert "left behind by a process that died" in second.output
    assert slow_smtp.taken == 1
    assert job_in(smtp_app, job_id).attempts == 2


def test_two_machines_whose_clocks_are_apart_send_one_mail(
    smtp_app: Flask, slow_smtp: SlowServer, tmp_path: Path
) -> None:
    with smtp_app.app_context():
        if db.engine.dialect.name == "sqlite":
            pytest.skip("SQLite is for one machine, which has one clock")
    with working(smtp_app, tmp_path / "right.log") as right:
        job_id = ask(smtp_app)
        eventually(lambda: slow_smtp.begun == 1)
        with working(smtp_app, tmp_path / "ahead.log", seconds_ahead=45) as ahead:
            slow_smtp.open.set()  # It has looked for what was left behind before it says that it works.
            eventually(lambda: job_in(smtp_app, job_id).state == "done")
            for worker in (right, ahead):
                assert worker.stop() == 0
                assert "left behind" not in worker.output
    assert slow_smtp.taken == slow_smtp.begun == 1
    assert job_in(smtp_app, job_id).attempts == 1


def test_told_to_stop_it_finishes_what_is_in_hand(
    smtp_app: Flask, slow_smtp: SlowServer, tmp_path: Path
) -> None:
    with working(smtp_app, tmp_path / "one.log") as worker:
        first = ask(smtp_app)
        eventually(lambda: slow_smtp.begun == 1)
        second = ask(smtp_app)
        worker.process.terminate()
        threading.Timer(0.5, slow_smtp.open.set).start()
        assert worker.process.wait(10) == 0
    assert slow_smtp.taken == 1
    assert job_in(smtp_app, first).state == "done"
    assert job_in(smtp_app, second).state == "waiting"


def test_patience_ends_and_the_job_is_given_back(
    smtp_app: Flask, slow_smtp: SlowServer, tmp_path: Path
) -> None:
    with working(smtp_app, tmp_path / "one.log", WORKER_PATIENCE_SECONDS="0.5") as worker:
        job_id = ask(smtp_app)
        eventually(lambda: slow_smtp.begun == 1)
        assert worker.stop() == 0
    assert job_in(smtp_app, job_id).state == "waiting"


def test_a_queue_that_is_away_stops_nobody(
    clean: None, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    app = make_app(jobs_url=f"redis://127.0.0.1:{port}/0")
    job_id = ask(app)
    with working(app, tmp_path / "log", WORKER_THREADS="1") as worker:
        eventually(lambda: job_in(app, job_id).state == "done", 15)
        time.sleep(2.5)  # It asks each second.
        assert worker.output.count("saas.jobs.worker: the queue is away (ConnectionError)") == 1
        assert "Traceback" not in worker.output


def test_a_queue_that_comes_back_is_welcome(
    clean: None, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    if not REDIS:
        pytest.skip("no Redis; REDIS_URL names one")
    with proxy_to(REDIS) as (proxy, through):
        app = make_app(jobs_url=through)
        with working(app, tmp_path / "log", LOG_LEVEL="INFO") as worker:
            proxy.is_away = True
            eventually(lambda: "the queue is away (ConnectionError)" in worker.output)
            proxy.is_away = False
            eventually(lambda: "the queue answers again" in worker.output)
            job_id = ask(app)
            eventually(lambda: job_in(app, job_id).state == "done")
            assert worker.stop() == 0
            assert "Traceback" not in worker.output


def test_a_database_that_goes_away_stops_nobody(any_queue_app: Flask, tmp_path: Path) -> None:
    url = any_queue_app.extensions["settings"].database_url
    if url.startswith("sqlite"):
        pytest.skip("a file does not go away")
    with (
        proxy_to(url) as (proxy, through),
        working(any_queue_app, tmp_path / "log", DATABASE_URL=through) as worker,
    ):
        proxy.is_away = True
        job_id = ask(any_queue_app)
        for thread in ("a job could not be begun or its end not be noted", "the heartbeat failed"):
            eventually(lambda thread=thread: f"saas.jobs.worker: {thread}" in worker.output)
        proxy.is_away = False
        eventually(lambda: job_in(any_queue_app, job_id).state == "done")
        assert worker.stop() == 0
        assert "the database cannot be used: " in worker.output
        assert "Traceback" not in worker.output


def test_mail_server_down_then_failed_then_retried(
    smtp_app: Flask, slow_smtp: SlowServer, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    slow_smtp.close()
    job_id = ask(smtp_app)
    with working(smtp_app, tmp_path / "log"):
        eventually(lambda: job_in(smtp_app, job_id).attempts == 1)
        eventually(lambda: job_in(smtp_app, job_id).state == "waiting")
        found = job_in(smtp_app, job_id)
        assert "ConnectionRefusedError" in str(found.error)
        assert found.run_after > utcnow() + timedelta(seconds=20)
        with smtp_app.app_context():  # Days go by.
            db.session.execute(
                update(Job).where(Job.id == job_id).values(attempts=19, run_after=utcnow())
            )
            db.session.commit()
        eventually(lambda: job_in(smtp_app, job_id).state == "failed")
    with make_app(jobs_url="inline").app_context():
        assert records.retry([job_id]) == [job_id]
        db.session.commit()
    assert job_in(smtp_app, job_id).state == "done"
    assert len(mails(smtp_app)) == 1
