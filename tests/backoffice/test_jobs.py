"""See jobs and workers, have jobs tried again, and replay all that match as a job."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from saas.backoffice import letters
from saas.extensions import db
from saas.jobs import heartbeat, running
from saas.jobs.models import Job, Worker
from saas.kit.datetimes import utcnow
from saas.webhooks.models import Delivery
from tests.backoffice.conftest import STAFF, hired
from tests.backoffice.staffing import log, press, press_while_nothing_can_be_logged
from tests.browsing import soup
from tests.webhooks.door import event, send


def add(app: Flask, state: str = "failed", **values: Any) -> int:
    with app.app_context():
        job = Job(name="backoffice.replay", arguments={"ids": []}, state=state, **values)
        db.session.add(job)
        db.session.commit()
        return job.id


def state(app: Flask, job_id: int) -> str:
    with app.app_context():
        return db.session.get_one(Job, job_id).state


def listed(client: FlaskClient, query: str = "") -> list[str]:
    page = soup(client.get(f"/staff/jobs{query}"))
    return [str(link["href"]) for link in page.select('[data-testid="jobs"] .row-link')]


def test_jobs_by_state(staff: FlaskClient, app: Flask) -> None:
    failed, done = add(app), add(app, "done")
    assert listed(staff) == [f"/staff/jobs/{done}", f"/staff/jobs/{failed}"]
    assert listed(staff, "?state=failed") == [f"/staff/jobs/{failed}"]
    assert listed(staff, "?state=nonsense%00&before=-1") == []
    figures = soup(staff.get("/staff/jobs")).select('[data-testid="figures"] strong')
    assert [figure.text for figure in figures] == ["0", "0", "1"]
    assert "Jobs failed" in staff.get("/staff").text


def test_one_job_with_its_error(staff: FlaskClient, app: Flask) -> None:
    words = "The mail server refused.\n\nTraceback (most recent call last):\n  <b>"
    job_id = add(app, error=words, recipient="secret@example.com", attempts=20)
    page = staff.get(f"/staff/jobs/{job_id}").text
    assert "The mail server refused." in page
    assert "&lt;b&gt;" in page
    assert "secret@example.com" not in page
    assert staff.get("/staff/jobs/2147483647").status_code == 404


def test_failed_jobs_are_tried_again(staff: FlaskClient, app: Flask) -> None:
    first, second, done = add(app), add(app), add(app, "done")
    page = f"/staff/jobs/{first}"
    assert "1 will be tried again" in press(staff, "/staff/jobs/retry", page, ids=first).text
    assert [state(app, i) for i in (first, second, done)] == ["done", "failed", "done"]
    answer = press(staff, "/staff/jobs/retry", "/staff/jobs", ids=[second, done, 999, "x"])
    assert "1 will be tried again" in answer.text
    assert state(app, second) == "done"
    entries = [(entry.actor, entry.subject, entry.details) for entry in log(app, "job.retried")]
    assert entries == [
        (STAFF, f"job {first}", {"jobs": [first]}),
        (STAFF, f"job {second}", {"jobs": [second]}),
    ]
    assert "Choose at least one" in press(staff, "/staff/jobs/retry", "/staff/jobs", ids=done).text


def test_what_cannot_be_logged_is_not_tried_again(staff: FlaskClient, app: Flask) -> None:
    failed = add(app)
    url, page = "/staff/jobs/retry", f"/staff/jobs/{failed}"
    assert press_while_nothing_can_be_logged(staff, url, page, ids=failed) == 500
    assert state(app, failed) == "failed"


@pytest.fixture
def mended(client: FlaskClient, app: Flask) -> list[int]:
    """Three deliveries that failed and would not fail again, and one of another type."""
    for kind in (
        "subscription.updated",
        "subscription.updated",
        "subscription.updated",
        "order.paid",
    ):
        send(client, event(kind, {"id": 7}))
    good = json.dumps(event("organization.updated", {})).encode()
    with app.app_context():
        db.session.execute(update(Delivery).values(body=good))
        db.session.commit()
        return sorted(db.session.scalars(select(Delivery.id)))


def outcomes(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(Delivery.outcome).order_by(Delivery.id)))


def test_replay_all_that_match(staff: FlaskClient, app: Flask, mended: list[int]) -> None:
    page = "/staff/deliveries?outcome=failed&type=subscription.updated"
    fields = {"outcome": "failed", "type": "subscription.updated", "next": page}
    answer = press(staff, "/staff/deliveries/replay-matching", page, **fields)
    assert "3 are being replayed" in answer.text
    assert outcomes(app) == ["ignored", "ignored", "ignored", "failed"]
    [entry] = log(app, "delivery.replayed")
    assert (entry.details["count"], entry.details["oldest"]) == (3, mended[0])
    assert entry.subject.startswith("job ")
    assert f'href="/staff/jobs/{entry.subject[4:]}"' in staff.get("/staff/log").text


def test_all_needs_a_filter_and_has_a_bound(
    staff: FlaskClient, app: Flask, mended: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Replay all that match" not in staff.get("/staff/deliveries").text
    url, page = "/staff/deliveries/replay-matching", "/staff/deliveries"
    assert "No delivery matches." in press(staff, url, page).text
    assert "No delivery matches." in press(staff, url, page, type="never.was").text
    assert outcomes(app) == ["failed"] * 4
    monkeypatch.setattr(letters, "MOST_AT_ONCE", 2)
    press(staff, url, page, outcome="failed")
    assert outcomes(app) == ["failed", "failed", "ignored", "ignored"]


def test_a_stopped_worker_is_loud_on_every_page(
    clean: None, make_app: Callable[..., Flask]
) -> None:
    app = make_app(jobs_url="sqlite:///instance/never-used.db")
    staff = hired(app)
    pages = ("", "/users", "/deliveries", "/jobs", "/log")
    for page in pages:
        assert "No worker is running" in staff.get(f"/staff{page}").text, page
    with app.app_context():
        heartbeat.beat()
    shown = soup(staff.get("/staff/jobs"))
    assert "No worker is running" not in shown.text
    assert len(shown.select('[data-testid="workers"] tbody tr')) == 1
    with app.app_context():
        gone = utcnow() - heartbeat.GONE_AFTER - timedelta(seconds=1)
        db.session.execute(update(Worker).values(last_seen=gone))
        db.session.commit()
    for page in pages:
        assert f"seen on {gone:%Y-%m-%d at %H:%M} UTC" in staff.get(f"/staff{page}").text, page
    with app.app_context():
        assert not running.run_next()
