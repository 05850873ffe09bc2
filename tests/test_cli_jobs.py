"""``flask jobs …``: what a person sees and can do."""

from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from saas.accounts import emails
from saas.audit import AuditEntry
from saas.extensions import db
from saas.jobs import enqueue, heartbeat
from saas.jobs.models import Job
from tests.accounts.pages import EMAIL, mails


@pytest.fixture
def flask(clean: None, make_app: Any, tmp_path: Any) -> Any:
    app: Flask = make_app(jobs_url=f"sqlite:///{tmp_path}/jobs.db", mail_outbox_dir=str(tmp_path))

    def run(*arguments: str) -> Result:
        return app.test_cli_runner().invoke(args=list(arguments))

    run.app = app  # type: ignore[attr-defined]
    return run


def put(app: Flask, **changes: Any) -> int:
    with app.app_context():
        job_id = enqueue(emails.NO_ACCOUNT, recipient=EMAIL, next_url=None)
        db.session.commit()
        job = db.session.get_one(Job, job_id)
        for name, value in changes.items():
            setattr(job, name, value)
        db.session.commit()
        return job.id


def entries(app: Flask) -> list[AuditEntry]:
    with app.app_context():
        return list(db.session.scalars(select(AuditEntry).filter_by(action="job.retried")))


def test_nothing_to_show(flask: Any) -> None:
    output = flask("jobs", "list").output
    assert output.splitlines() == [
        "There are none.",
        "0 waiting, 0 running, 0 failed.",
        "A worker was seen never.",
    ]


def test_list_and_show(flask: Any) -> None:
    put(flask.app)
    failed = put(flask.app, state="failed", error="It broke.\n\nTraceback: here")
    with flask.app.app_context():
        heartbeat.beat()
    everything = flask("jobs", "list").output
    assert "accounts.no_account  It broke.\n" in everything
    assert "1 waiting, 0 running, 1 failed." in everything
    assert "A worker was seen 0 seconds ago." in everything
    assert "waiting " not in flask("jobs", "list", "--state", "failed").output.splitlines()[0]
    shown = flask("jobs", "show", str(failed)).output
    assert "Traceback: here" in shown
    assert EMAIL not in shown + everything
    assert "There is no job 99" in flask("jobs", "show", "99").output


def test_retry_and_run(flask: Any) -> None:
    failed = put(flask.app, state="failed")
    assert flask("jobs", "retry").exit_code == 2
    assert flask("jobs", "retry", "--all").output == "1 will be tried again.\n"
    [entry] = entries(flask.app)
    assert (entry.actor, entry.subject) == ("command line", f"job {failed}")
    assert entry.details["jobs"] == [failed]
    assert "done." in flask("jobs", "run").output
    assert len(mails(flask.app)) == 1
    with flask.app.app_context():
        assert db.session.scalar(select(Job.state).where(Job.id == failed)) == "done"
    again = flask("jobs", "retry", str(failed))
    assert again.exit_code == 1
    assert f"Not failed, and not waiting either: {failed}." in again.output
    assert len(entries(flask.app)) == 1


def test_worker_has_nothing_to_do_inline(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["worker"])
    assert result.exit_code == 1
    assert "JOBS_URL is inline" in result.output
