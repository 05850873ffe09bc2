"""Where no worker runs, a web process does the small jobs."""

import threading
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from saas.accounts import emails
from saas.extensions import db
from saas.jobs import enqueue, heartbeat, standin
from saas.jobs.models import Job, Worker
from saas.kit.datetimes import utcnow
from saas.kit.processes import PerProcess
from tests.accounts.pages import EMAIL, fill, mails
from tests.jobs.workers import eventually


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "_answer", PerProcess(dict))


def ask(app: Flask) -> None:
    with app.app_context():
        enqueue(emails.NO_ACCOUNT, recipient=EMAIL, next_url=None)
        db.session.commit()


def test_it_helps_out_where_nobody_works(queued_app: Flask) -> None:
    ask(queued_app)
    with time_machine.travel(utcnow() + timedelta(seconds=2)):
        assert standin.help_out(queued_app) >= 1
    assert len(mails(queued_app)) == 1
    with queued_app.app_context():
        names = set(db.session.scalars(select(Job.name)))
    assert "billing.notices" in names
    assert "billing.comparison" not in names  # It takes too long for a web process.


def test_it_leaves_everything_to_a_worker(queued_app: Flask) -> None:
    ask(queued_app)
    with queued_app.app_context():
        heartbeat.beat()
    with time_machine.travel(utcnow() + timedelta(seconds=20)):
        assert standin.help_out(queued_app) == 0
    with queued_app.app_context():  # Which was forty seconds ago.
        db.session.execute(update(Worker).values(last_seen=utcnow() - timedelta(seconds=40)))
        db.session.commit()
    heartbeat._answer.get().clear()
    with time_machine.travel(utcnow() + timedelta(seconds=20)):
        assert standin.help_out(queued_app) >= 1


def test_a_mail_goes_out_within_seconds(queued_app: Flask) -> None:
    standin.start(queued_app)
    try:
        answer = fill(queued_app.test_client(), "/forgot-password", email=EMAIL)
        assert answer.status_code == 303
        eventually(lambda: len(mails(queued_app)) == 1, 5)
    finally:
        standin.stop(queued_app)
    assert not [thread for thread in threading.enumerate() if thread.name == "jobs-standin"]


def test_a_database_that_is_away_ends_nothing(
    queued_app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from sqlalchemy.exc import OperationalError

    def away() -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(heartbeat, "silence", away)
    assert standin.help_out(queued_app) == 0
    assert "tried again in a moment" in caplog.text
