"""``/readyz``: what takes a process out of service, and what only a monitor is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from saas.accounts import emails
from saas.extensions import db, start_write
from saas.jobs import enqueue, heartbeat
from saas.jobs.models import Job
from saas.kit.datetimes import utcnow
from tests.webhooks.test_inbox import left_behind


def ask(app: Flask, query: str = "") -> tuple[int, Any]:
    response = app.test_client().get(f"/readyz{query}")
    assert "no-store" in response.headers["Cache-Control"]
    return response.status_code, response.get_json()


def failing(report: Any) -> list[str]:
    return [name for name, check in report["checks"].items() if not check["ok"]]


def test_everything_in_order(queued_app: Flask) -> None:
    with queued_app.app_context():
        heartbeat.beat()
    status, report = ask(queued_app, "?strict=1")
    assert (status, report["status"], failing(report)) == (200, "ready", [])
    assert set(report["checks"]) == {"database", "migrations", "worker", "deliveries", "jobs"}


def test_a_missing_worker_is_told_and_takes_nobody_out(queued_app: Flask) -> None:
    status, report = ask(queued_app)
    assert (status, report["status"], failing(report)) == (200, "degraded", ["worker"])
    assert ask(queued_app, "?strict=1")[0] == 503


def test_inline_needs_no_worker(app: Flask) -> None:
    assert ask(app)[1]["status"] == "ready"


def test_late_work_is_told(queued_app: Flask) -> None:
    with queued_app.app_context():
        heartbeat.beat()
        left_behind("failed", minutes_ago=20)
        start_write()
        job_id = enqueue(emails.PASSWORD_CHANGED, user_id=1)
        db.session.get_one(Job, job_id).run_after = utcnow() - timedelta(minutes=3)
        db.session.commit()
    status, report = ask(queued_app)
    assert (status, failing(report)) == (200, ["deliveries", "jobs"])
    assert report["checks"]["deliveries"]["oldest_unhandled_seconds"] >= 1200
    assert report["checks"]["jobs"]["waiting"] == 1


@pytest.mark.parametrize("found", ["0001", "ab12cd34ef56", None])
def test_a_database_that_is_behind(queued_app: Flask, found: str | None) -> None:
    with queued_app.app_context():
        newest = db.session.scalar(text("SELECT version_num FROM alembic_version"))
        set_version(found)
    try:
        status, report = ask(queued_app)
    finally:
        with queued_app.app_context():
            set_version(newest)
    assert (status, report["status"], failing(report)) == (503, "not ready", ["migrations"])


def test_a_newer_database_is_fine(queued_app: Flask) -> None:
    """The next release has migrated, and this one serves until it is replaced."""
    with queued_app.app_context():
        newest = db.session.scalar(text("SELECT version_num FROM alembic_version"))
        set_version("9999")
    try:
        assert failing(ask(queued_app)[1]) == ["worker"]
    finally:
        with queued_app.app_context():
            set_version(newest)


def set_version(version: str | None) -> None:
    start_write()
    db.session.execute(text("DELETE FROM alembic_version"))
    if version:
        db.session.execute(text("INSERT INTO alembic_version VALUES (:v)"), {"v": version})
    db.session.commit()


def test_no_database_is_503_without_its_address(make_app: Callable[..., Flask]) -> None:
    app = make_app(database_url="postgresql://boss:geheim@127.0.0.1:9/x")
    status, report = ask(app)
    assert (status, failing(report)) == (503, ["database", "migrations"])
    assert "geheim" not in str(report)
    assert "127.0.0.1" not in str(report)
    assert app.test_client().get("/healthz").status_code == 200
