"""The numbers that are in the database: of real workers, and of the comparison with Polar."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from flask import Flask

from saas.accounts import emails
from saas.billing.runs import SyncRun
from saas.extensions import db, start_write
from saas.jobs import enqueue
from saas.kit.datetimes import utcnow
from tests.accounts.pages import EMAIL
from tests.jobs.workers import eventually, working

TOKEN = "c7a1e2d3f4b5968790a1b2c3d4e5f607"
OPERATION = 'operation="GET /v1/products"'


def numbers(app: Flask, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What the page shows. It is asked of a process that counts nothing itself."""
    known = replace(app.extensions["settings"], metrics_token=TOKEN)
    monkeypatch.setitem(app.extensions, "settings", known)
    page = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert page.status_code == 200
    lines = [line for line in page.text.splitlines() if not line.startswith("#")]
    assert len({line.rpartition(" ")[0] for line in lines}) == len(lines)
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_what_workers_did_is_shown_and_added_up(
    queued_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = f'worker_jobs_ended_total{{name="{emails.NO_ACCOUNT}",outcome="done"}}'
    called = f'worker_polar_calls_total{{{OPERATION},outcome="no answer"}}'
    failed = 'worker_jobs_ended_total{name="billing.catalogue",outcome="to be tried again"}'

    def has(name: str, count: int) -> bool:
        return numbers(queued_app, monkeypatch).get(name, 0) >= count

    for count in (1, 2):
        with working(queued_app, tmp_path / f"{count}.log", METRICS_TOKEN=TOKEN) as worker:
            with queued_app.app_context():
                start_write()
                enqueue(emails.NO_ACCOUNT, recipient=EMAIL, next_url=None)
                db.session.commit()
            eventually(partial(has, done, count))
            eventually(partial(has, called, 1))
            assert worker.stop() == 0
            assert "Traceback" not in worker.output
    shown = numbers(queued_app, monkeypatch)
    assert shown[done] == 2
    assert shown[failed] == 1
    seconds = f"worker_polar_call_duration_seconds_sum{{{OPERATION}}}"
    assert shown[seconds] > 0
    assert shown[f"worker_polar_call_duration_seconds_count{{{OPERATION}}}"] == shown[called]


def test_without_a_token_workers_write_nothing(
    queued_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with working(queued_app, tmp_path / "log") as worker:
        assert worker.stop() == 0
    assert not [name for name in numbers(queued_app, monkeypatch) if name.startswith("worker_jobs")]


def test_how_old_the_comparison_is(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "billing_comparison_age_seconds"
    assert name not in numbers(app, monkeypatch)
    with app.app_context():
        ended = utcnow() - timedelta(hours=2)
        db.session.add(SyncRun(stage="done", finished_at=ended))
        db.session.commit()
    assert numbers(app, monkeypatch)[name] == pytest.approx(7200, abs=5)
