"""Deliveries for one customer at once: two processes, several threads each, one database."""

import multiprocessing
import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select

from saas.app import create_app
from saas.config import Settings
from saas.extensions import db
from saas.webhooks import inbox
from saas.webhooks.models import Delivery
from tests.database import empty_database
from tests.people import make_user
from tests.property.books import USER
from tests.property.life import told
from tests.property.outcome import disturbed, outcome
from tests.webhooks.door import send

HISTORY = [
    ("subscribe", 1), ("change_plan", 2), ("fail_payment", 0), ("recover", 0), ("buy_once", 0),
    ("cancel", 0), ("uncancel", 0), ("schedule_change", 1), ("renew", 0), ("refund", 1),
    ("rename", 1), ("subscribe", 0), ("revoke", 1),
]  # fmt: skip
THREADS = 4


def work(settings: Settings, seed: int, barrier: Barrier) -> None:
    """One worker: knocks with the whole history in an order of its own, four at a time."""
    app = create_app(settings)
    events = disturbed(enumerate(told(HISTORY).events), random.Random(seed))
    barrier.wait()
    with ThreadPoolExecutor(THREADS) as pool:
        answers = pool.map(
            lambda pair: send(app.test_client(), pair[1], webhook_id=f"id-{pair[0]}"), events
        )
        statuses = {answer.status_code for answer in answers}
    if statuses != {202}:
        raise SystemExit(f"answered {statuses}")


@pytest.mark.parametrize("seed", [1, 2])
def test_two_workers_at_once_leave_what_one_leaves(
    app: Flask, migrated: Settings, seed: int
) -> None:
    with app.app_context():
        user = make_user(USER)
        for number, event in enumerate(told(HISTORY).events):
            send(app.test_client(), event, webhook_id=f"id-{number}")
        alone = outcome(user)
        empty_database()
        user = make_user(USER)
        db.engine.dispose()
        _at_once(migrated, seed)
        assert set(db.session.scalars(select(Delivery.outcome))) == {"applied"}
        assert db.session.scalar(select(func.max(Delivery.attempts))) == 1
        assert outcome(user) == alone


def _at_once(settings: Settings, seed: int) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    workers = [
        context.Process(target=work, args=(settings, seed * 10 + number, barrier))
        for number in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0


def test_a_crowd_is_answered_and_applied_right_after(app: Flask) -> None:
    """Nobody is left behind in the queue: everything is handled when the thread ends."""
    events = list(enumerate(told(HISTORY).events))
    with app.app_context():
        make_user(USER)
    desk = app.extensions["webhook-desk"]
    with desk.backlog.visit():  # Somebody stands at the door all the time.
        for number, event in events:
            assert send(app.test_client(), event, webhook_id=f"id-{number}").status_code == 202
    desk.backlog.wait()
    with app.app_context():
        assert db.session.scalar(select(func.count()).where(Delivery.outcome == "applied")) == len(
            events
        )


def test_trouble_with_one_batch_does_not_hold_up_the_next(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with app.app_context():
        make_user(USER)
    desk = app.extensions["webhook-desk"]
    closing = Flask("whose_connection_cannot_be_closed")

    @closing.teardown_appcontext
    def fail(_error: BaseException | None) -> None:
        raise OSError("the server has gone")

    desk.backlog.add(closing, 1)
    desk.backlog.wait()
    assert "1 deliveries are left to the sweeper" in caplog.text
    assert send(app.test_client(), told(HISTORY).events[0]).status_code == 202
    desk.backlog.wait()
    with app.app_context():
        assert db.session.scalars(select(Delivery.outcome)).all() == ["applied"]


def test_a_lost_race_is_run_again(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL may end a transaction because of another one; that is nobody's failure."""
    from sqlalchemy.exc import OperationalError

    from saas.billing import store

    class Deadlock(Exception):
        sqlstate = "40P01"

    lost = [OperationalError("INSERT", {}, Deadlock()) for _ in range(2)]
    write = store.Gathering.write

    def unlucky(gathered: store.Gathering) -> None:
        if lost:
            raise lost.pop()
        write(gathered)

    monkeypatch.setattr(store.Gathering, "write", unlucky)
    with app.app_context():
        make_user(USER)
    assert send(app.test_client(), told(HISTORY).events[-1]).status_code == 202
    with app.app_context():
        [row] = db.session.scalars(select(Delivery))
        assert (row.outcome, row.attempts, lost) == ("applied", 1, [])
        assert inbox.process(row.id) == "handled"
