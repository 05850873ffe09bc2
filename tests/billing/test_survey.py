"""A comparison of everybody that is interrupted goes on, and what ends has read everything by itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from polar_emulator.testing import LocalPolar
from saas.billing import gateway, survey
from saas.billing.runs import STALE, SyncRun, last_finished
from saas.extensions import db
from saas.kit.datetimes import utcnow
from tests.test_cli_billing import api, plan, run, subscriber

__all__ = ["subscriber"]

STAGES = [path for path, _ in survey.STAGES.values()]
Interrupt = Callable[[str], str]


@pytest.fixture
def interrupt(polar_app: Flask, subscriber: str, monkeypatch: pytest.MonkeyPatch) -> Interrupt:
    """Run a comparison during which Polar goes away just before a list is read; what the command said."""
    page = gateway.page

    def interrupted(at: str, *words: str) -> str:
        calls: list[str] = []

        def dying(path: str, number: int, query: Any = None) -> gateway.Page:
            calls.append(path)
            if path == at and calls.count(path) == 2:  # The first one only counts the pages.
                raise gateway.PolarUnavailable("it went away")
            return page(path, number, query)

        monkeypatch.setattr(gateway, "page", dying)
        output = run(polar_app, "sync", *words, code=1)
        monkeypatch.setattr(gateway, "page", page)
        assert "it went away" in output
        return output

    return interrupted


def revoke(polar: LocalPolar) -> None:
    """End the subscription; nobody delivers that. Polar dates answers in whole seconds, hence the wait."""
    polar.advance(2)
    with api(polar) as client:
        [found] = client.get("/v1/subscriptions/").json()["items"]
        client.patch(f"/v1/subscriptions/{found['id']}", json={"revoke": True}).raise_for_status()
    polar.advance(2)
    polar.wait_idle()


def test_interrupted_run_goes_on(polar_app: Flask, polar: LocalPolar, interrupt: Interrupt) -> None:
    interrupt("/v1/orders/")
    with polar_app.app_context():
        assert db.session.scalars(select(SyncRun)).one().stage == "billing_subscriptions"
    polar.forget_requests()
    output = run(polar_app, "sync")
    assert "Going on with the run that was interrupted: 4 calls" in output
    assert "what it had not read (2), then once more what it had (2)" in output
    asked = [each["path"] for each in polar.requests()]
    assert asked[-4:] == [STAGES[2], STAGES[3], STAGES[0], STAGES[1]]
    with polar_app.app_context():
        assert last_finished() is not None
    assert "Going on" not in run(polar_app, "sync")


@pytest.mark.parametrize("at", STAGES[1:])
def test_what_was_read_before_the_interruption_is_read_again(
    polar_app: Flask, polar: LocalPolar, interrupt: Interrupt, at: str
) -> None:
    interrupt(at)
    revoke(polar)
    rehearsed = run(polar_app, "sync", "--dry-run")
    healed = run(polar_app, "sync")
    assert plan(polar_app) == ("free", "canceled")
    assert differences(rehearsed) == differences(healed)
    assert "Our copy agrees with Polar." in run(polar_app, "sync")


def test_what_is_read_again_may_be_interrupted_as_well(
    polar_app: Flask, polar: LocalPolar, interrupt: Interrupt
) -> None:
    interrupt("/v1/benefit-grants/")
    interrupt("/v1/subscriptions/")
    revoke(polar)
    output = run(polar_app, "sync")
    assert "what it had not read (3), then once more what it had (1)" in output
    assert plan(polar_app) == ("free", "canceled")


def test_beginning_anew_ends_the_run_that_was_interrupted(
    polar_app: Flask, polar: LocalPolar, interrupt: Interrupt
) -> None:
    interrupt("/v1/benefit-grants/")
    assert "Going on" not in run(polar_app, "sync", "--restart")
    revoke(polar)
    assert "Going on" not in run(polar_app, "sync")
    assert plan(polar_app) == ("free", "canceled")


def test_the_run_of_the_night_before_begins_anew(polar_app: Flask, interrupt: Interrupt) -> None:
    interrupt("/v1/benefit-grants/")
    with polar_app.app_context():
        db.session.execute(update(SyncRun).values(started_at=utcnow() - STALE))
        db.session.commit()
    assert timedelta(days=1) - STALE >= timedelta(hours=6)
    assert "Going on" not in run(polar_app, "sync")


def test_stale_rows_of_a_run_do_not_matter(polar_app: Flask, subscriber: str) -> None:
    with polar_app.app_context():
        plan_before = survey.prepare()
        db.session.execute(update(SyncRun).values(started_at=db.func.now(), page=0))
        db.session.commit()
        assert survey.run(plan_before) == []


def differences(output: str) -> list[str]:
    return sorted(line for line in output.splitlines() if line.startswith("- "))
