"""Asking for a job: part of the transaction, heard of after the commit, whatever the queue does."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from saas.accounts import emails
from saas.extensions import db
from saas.jobs import enqueue, running
from saas.jobs.models import Job
from tests.accounts.pages import EMAIL, fill, mails
from tests.scripts.running import free_ports


def ask(recipient: str = EMAIL, **options: object) -> int | None:
    return enqueue(emails.NO_ACCOUNT, recipient=recipient, next_url=None, **options)


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(Job)) or 0


def test_what_is_rolled_back_is_not_done(queued_app: Flask) -> None:
    transport = queued_app.extensions["jobs"]
    with queued_app.app_context():
        ask()
        db.session.rollback()
        db.session.commit()
        assert count() == 0
        assert transport.next_job() is None


def test_what_is_committed_wakes_somebody(queued_app: Flask) -> None:
    transport = queued_app.extensions["jobs"]
    with queued_app.app_context():
        first, second = ask(), ask()
        assert transport.next_job() is None
        db.session.commit()
    assert (transport.next_job(), transport.next_job()) == (first, second)
    assert mails(queued_app) == []


def test_a_savepoint_tells_nobody(queued_app: Flask) -> None:
    with queued_app.app_context():
        with db.session.begin_nested():
            job_id = ask()
        assert queued_app.extensions["jobs"].next_job() is None
        db.session.commit()
    assert queued_app.extensions["jobs"].next_job() == job_id


def test_a_key_makes_one_of_two(queued_app: Flask) -> None:
    with queued_app.app_context():
        assert ask(dedupe_key="once") is not None
        assert ask(dedupe_key="once") is None
        db.session.commit()
        assert count() == 1


def test_later_is_not_now(queued_app: Flask) -> None:
    with queued_app.app_context():
        ask(delay=timedelta(hours=1))
        db.session.commit()
        assert not running.run_next(running.AT_ONCE)
    assert queued_app.extensions["jobs"].next_job() is None


def test_an_unknown_name_is_a_mistake_of_the_caller(queued_app: Flask) -> None:
    with queued_app.app_context(), pytest.raises(LookupError, match=r"nobody\.knows"):
        enqueue("nobody.knows")


def test_inline_is_done_after_the_commit(app: Flask) -> None:
    with app.app_context():
        ask()
        assert mails(app) == []
        db.session.commit()
        assert [mail.recipient for mail in mails(app)] == [EMAIL]


@pytest.mark.parametrize("scheme", ["redis", "postgresql"])
def test_a_queue_that_is_away_costs_nobody_anything(
    clean: None, make_app: Callable[..., Flask], scheme: str
) -> None:
    (port,) = free_ports(1)
    app = make_app(jobs_url=f"{scheme}://127.0.0.1:{port}/0")
    begin = time.monotonic()
    for number in range(3):
        answer = fill(
            app.test_client(), "/signup", email=f"{number}{EMAIL}", password="a" * 12 + "!"
        )
        assert answer.status_code == 303
    assert time.monotonic() - begin < 5
    with app.app_context():
        while running.run_next(running.AT_ONCE):
            pass
    assert len(mails(app)) == 3


def test_a_queue_file_that_cannot_be_made(clean: None, make_app: Callable[..., Flask]) -> None:
    app = make_app(jobs_url="sqlite:////nonexistent/folder/jobs.db")
    assert fill(app.test_client(), "/forgot-password", email=EMAIL).status_code == 303
    with app.app_context():
        assert running.run_next(running.AT_ONCE)


def test_default_queue_is_beside_the_database(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    from saas.config import Settings

    assert Settings(database_url="postgresql://h/n").jobs_address == "postgresql://h/n"
    assert Settings(database_url="sqlite:////x/app.db").jobs_address == "sqlite:////x/jobs.db"
    assert Settings().jobs_address.endswith("/instance/jobs.db")
    assert Settings(jobs_url="redis://h").jobs_address == "redis://h"
