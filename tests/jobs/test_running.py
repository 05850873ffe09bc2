"""Doing a job: once at a time, again when it failed, and what is kept about it."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import time_machine
from flask import Flask
from sqlalchemy import select, update

from saas.accounts import emails
from saas.accounts.models import User
from saas.billing.gateway import PolarUnavailable
from saas.extensions import db, start_write
from saas.jobs import GiveUp, enqueue, records, registry, running
from saas.jobs.models import Job
from saas.kit.datetimes import utcnow
from tests.accounts.pages import EMAIL, mails


def job(job_id: int) -> Job:
    found = db.session.get_one(Job, job_id, populate_existing=True)
    db.session.rollback()
    return found


def bad() -> None:
    raise RuntimeError("ada@example.com cannot open /reset-password/abcdef with polar_oat_secret")


def test_four_threads_do_it_once(queued_app: Flask) -> None:
    with queued_app.app_context():
        job_id = enqueue(emails.NO_ACCOUNT, recipient=EMAIL, next_url=None)
        db.session.commit()

    def attempt(_: int) -> bool:
        with queued_app.app_context():
            return running.run(int(job_id or 0))

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == [False, False, False, True]
    assert len(mails(queued_app)) == 1
    with queued_app.app_context():
        done = db.session.get_one(Job, job_id)
        assert (done.state, done.attempts, done.recipient) == ("done", 1, None)


def test_a_mail_that_is_handed_over_twice_is_one_message(
    job_of: Callable[..., int], queued_app: Flask
) -> None:
    first, second = (enqueue(emails.NO_ACCOUNT, recipient=EMAIL, next_url=None) for _ in range(2))
    db.session.commit()
    assert running.run(first or 0)
    died = update(Job).where(Job.id == first).values(state="waiting", recipient=EMAIL)
    db.session.execute(died)
    db.session.commit()
    assert running.run(first or 0)
    assert running.run(second or 0)
    files = [Path(queued_app.config["MAIL_FILE_PATH"], mail.name) for mail in mails(queued_app)]
    newest, again, before = [re.findall("(?i)message-id: (.*)", file.read_text()) for file in files]
    assert again == before != newest


def test_failure_waits_longer_each_time_and_ends(job_of: Callable[..., int]) -> None:
    job_id = job_of(bad, attempts=3)
    waits = []
    moment = utcnow()
    for _ in range(3):
        with time_machine.travel(moment, tick=False):
            assert running.run(job_id)
            assert not running.run(job_id)
            waits.append(job(job_id).run_after - moment)
        moment = max(moment + timedelta(seconds=1), job(job_id).run_after)
    assert waits[:2] == [timedelta(seconds=30), timedelta(minutes=1)]
    assert job(job_id).state == "failed"
    assert records.figures().failed == 1


def test_waits_stay_within_two_days_and_a_half() -> None:
    total = sum((running.wait_before(n) for n in range(2, registry.ATTEMPTS + 1)), timedelta())
    assert timedelta(days=2) < total < timedelta(days=3)


def test_error_is_kept_without_what_is_personal(job_of: Callable[..., int]) -> None:
    job_id = job_of(bad)
    running.run(job_id)
    error = job(job_id).error or ""
    assert error.startswith("[e-mail] cannot open /reset-password/[token] with [secret]")
    assert "in bad" in error
    for secret in ("ada@", "abcdef", "oat_secret"):
        assert secret not in error


def test_giving_up_is_for_good_until_somebody_retries(job_of: Callable[..., int]) -> None:
    answers: list[Exception | None] = [GiveUp("no such thing"), None]

    def moody() -> None:
        if answer := answers.pop(0):
            raise answer

    job_id = job_of(moody)
    assert running.run(job_id)
    assert job(job_id).state == "failed"
    assert not running.run_next(running.AT_ONCE)
    assert records.retry([job_id]) == [job_id]
    db.session.commit()
    assert running.run(job_id)
    assert (job(job_id).state, job(job_id).error) == ("done", None)
    assert records.retry([job_id]) == []


def add_user(name: object) -> None:
    start_write()
    db.session.add(User(email=f"{name}@example.com", password_hash="!"))
    db.session.flush()


def emails_of_users() -> list[str]:
    found = list(db.session.scalars(select(User.email)))
    db.session.rollback()
    return found


def test_what_a_failing_job_wrote_is_not_there(job_of: Callable[..., int]) -> None:
    def half() -> None:
        add_user("half")
        raise RuntimeError("power cut")

    running.run(job_of(half))
    assert emails_of_users() == []


def test_what_a_job_wrote_is_committed_with_its_end(job_of: Callable[..., int]) -> None:
    job_id = job_of(lambda: add_user("ada"))
    running.run(job_id)
    assert emails_of_users() == ["ada@example.com"]
    assert job(job_id).state == "done"


def test_process_that_ends_gives_back_what_it_has(job_of: Callable[..., int]) -> None:
    job_id = job_of(bad)
    assert running._claim(job_id)
    running.give_back()
    assert job(job_id).state == "waiting"


def test_one_at_a_time(job_of: Callable[..., int], queued_app: Flask) -> None:
    second: list[int | None] = []
    ran: list[bool] = []

    def alone() -> None:
        if len(ran) == 0:
            ran.append(True)
            with queued_app.app_context():
                ran.append(running.run(int(second[0] or 0)))
                ran.append(running.run_next(running.AT_ONCE))

    job_id = job_of(alone, one_at_a_time=True)
    second.append(enqueue("test.job"))
    db.session.commit()
    assert running.run(job_id)
    assert ran == [True, False, False]
    assert running.run_next(running.AT_ONCE)
    assert job(int(second[0] or 0)).state == "done"


def test_job_of_a_newer_version_waits_for_it(job_of: Callable[..., int]) -> None:
    job_id = job_of(bad)
    registry._kinds.pop("test.job")
    assert not running.run(job_id)
    assert not running.run_next(running.AT_ONCE)
    assert job(job_id).state == "waiting"


def test_what_polar_asks_for_is_waited_for(job_of: Callable[..., int]) -> None:
    def busy() -> None:
        raise PolarUnavailable("busy", retry_after=600)

    job_id = job_of(busy)
    running.run(job_id)
    assert job(job_id).run_after > utcnow() + timedelta(minutes=9)


def test_old_ones_are_forgotten(job_of: Callable[..., int]) -> None:
    done, failed = job_of(lambda: None), job_of(bad, attempts=1)
    assert job(done).state == job(failed).state == "waiting"
    registry.handler("test.job")(lambda: None)
    running.run(done)
    registry.handler("test.job", attempts=1)(bad)
    running.run(failed)
    with time_machine.travel(utcnow() + timedelta(days=8)):
        assert records.prune() == 1
    assert job(failed).state == "failed"
    with time_machine.travel(utcnow() + timedelta(days=61)):
        assert records.prune() == 1
    assert records.jobs() == []
