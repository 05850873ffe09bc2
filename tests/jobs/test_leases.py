"""Who has a job in hand, who has died with it, and whose clock says so."""

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from saas.extensions import db, start_write
from saas.jobs import heartbeat, leases, running
from saas.jobs.models import Job
from saas.kit.datetimes import utcnow
from tests.jobs.test_running import add_user, bad, emails_of_users, job


def expire(job_id: int) -> None:
    """Half a minute without a word."""
    start_write()
    db.session.get_one(Job, job_id).lease_until = utcnow() - timedelta(seconds=1)
    db.session.commit()


def test_who_comes_back_after_its_lease_changes_nothing(
    job_of: Callable[..., int], queued_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ids: list[int] = []

    def work() -> None:
        attempt = job(ids[0]).attempts
        if attempt == 1:
            with queued_app.app_context():  # Another process, meanwhile.
                expire(ids[0])
                assert running.take_back() == 1
                assert running.run(ids[0])
        add_user(attempt)

    ids.append(job_of(work))
    running.run(ids[0])
    assert emails_of_users() == ["2@example.com"]
    assert job(ids[0]).state == "done"
    said = [record.getMessage() for record in caplog.records if record.name == running.__name__]
    assert ["left behind" in said[0], "is done" in said[1], "taken from us" in said[2]] == [
        True
    ] * 3
    assert len(said) == 3


def test_lease_is_renewed_while_it_runs(job_of: Callable[..., int]) -> None:
    ids: list[int] = []

    def long() -> None:
        expire(ids[0])
        leases.renew()
        assert running.take_back() == 0

    ids.append(job_of(long))
    running.run(ids[0])
    assert (job(ids[0]).state, job(ids[0]).attempts) == ("done", 1)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_clocks_of_other_machines_do_not_matter(job_of: Callable[..., int], minutes: float) -> None:
    """Neither for who has a job in hand nor for who is there; a job is only begun that much later."""
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite is for one machine, which has one clock")
    job_id = job_of(bad)
    assert running._claim(job_id)
    heartbeat.beat()
    with time_machine.travel(utcnow() + timedelta(minutes=minutes), tick=False):
        assert running.take_back() == 0
        assert not heartbeat.is_missed(heartbeat.silence())
        assert len(heartbeat.workers()) == 1
        leases.renew()
        heartbeat.beat()
    assert running.take_back() == 0
    assert not heartbeat.is_missed(heartbeat.silence())
    expire(job_id)
    with time_machine.travel(utcnow() - timedelta(minutes=abs(minutes)), tick=False):
        assert running.take_back() == 1


def test_job_that_kills_every_process_ends(job_of: Callable[..., int]) -> None:
    job_id = job_of(bad, attempts=2)
    for _ in range(2):
        assert running._claim(job_id)  # And then the process is gone.
        expire(job_id)
        assert running.take_back() == 1
    assert job(job_id).state == "failed"
    assert "died" in str(job(job_id).error)
