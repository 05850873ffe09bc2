"""Sending the mails about billing: once, by whoever comes first, and again when the server was down."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask, current_app

from saas.accounts.models import User
from saas.billing import notices
from saas.billing.models import Notice, Subscription
from saas.extensions import db
from saas.jobs import running
from saas.jobs.models import Job
from saas.kit.datetimes import utcnow
from tests.billing.holding_data import put_order, put_subscription
from tests.billing.mailing import CANCELLED, DAY, NOW, OWED, TRIAL, mails
from tests.people import make_user

HOUR = timedelta(hours=1)
LATER = {"modified_at": (NOW + HOUR).isoformat()}


def test_mail_server_down_is_tried_again(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    which = put_subscription(ada, **CANCELLED)
    with monkeypatch.context() as patch:
        patch.setattr("saas.mail._deliver", lambda *_: (_ for _ in ()).throw(OSError("down")))
        notices.after_change([which])
        assert mails() == []
    assert notices.run() == 0  # Its job waits for the next try.
    with _later():
        assert running.run_next()
    assert len(mails()) == 1
    assert db.session.scalars(db.select(Notice.sent_at)).one() is not None


@pytest.mark.parametrize(
    ("state", "again"),
    [
        (CANCELLED, {"canceled_at": (NOW + HOUR).isoformat()}),
        (OWED, {"past_due_at": (NOW + HOUR).isoformat()}),
        (TRIAL, {"trial_end": (NOW + DAY).isoformat()}),
    ],
)
def test_what_happens_again_while_the_mail_server_is_down_is_one_mail(
    ada: User, monkeypatch: pytest.MonkeyPatch, state: dict[str, Any], again: dict[str, Any]
) -> None:
    """Who cancels, keeps the plan and cancels again is told once."""
    with monkeypatch.context() as patch:
        patch.setattr("saas.mail._deliver", lambda *_: (_ for _ in ()).throw(OSError("down")))
        notices.after_change([put_subscription(ada, **state)])
        notices.after_change([put_subscription(ada, **(state | again | LATER))])
    with _later():
        assert [running.run_next(), running.run_next()] == [True, True]
    assert len(mails()) == 1


def test_what_was_refunded_before_it_could_be_sent_is_no_welcome(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought = {"created_at": NOW.isoformat()}
    with monkeypatch.context() as patch:
        patch.setattr("saas.mail._deliver", lambda *_: (_ for _ in ()).throw(OSError("down")))
        notices.after_change([put_order(ada, **bought)])
    put_order(ada, status="refunded", **bought)
    with _later():
        assert running.run_next()
    assert mails() == []


def test_mail_that_is_switched_off_while_it_waits_is_not_sent(
    noted_job: int, make_app: Any
) -> None:
    with make_app(mails_off=("cancellation_confirmed",)).app_context():
        assert running.run(noted_job)
    assert mails() == []
    assert notices.run() == 0


def _later() -> Any:
    return time_machine.travel(utcnow() + timedelta(minutes=10), tick=False)


def test_trouble_with_mails_never_reaches_the_caller(
    ada: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_ids: set[str]) -> list[int]:
        raise RuntimeError("no")

    monkeypatch.setattr(notices, "note", broken)
    notices.after_change(["x"])
    assert "could not be noted" in caplog.text


def test_two_processes_send_it_once(ada: User, noted_job: int) -> None:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    sent: list[bool] = []

    def try_it() -> None:
        with app.app_context():
            sent.append(running.run(noted_job))

    threads = [threading.Thread(target=try_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sent) == [False, False, False, True]
    assert len(mails()) == 1


def test_account_that_is_gone_takes_its_mails_along(ada: User, noted_job: int) -> None:
    db.session.delete(db.session.get_one(User, ada.id))
    db.session.commit()
    assert running.run(noted_job)
    assert mails() == []


def test_somebody_who_comes_after_a_deleted_account_gets_their_mail(ada: User) -> None:
    notices.after_change([put_subscription(ada, **CANCELLED)])
    db.session.delete(db.session.get_one(User, ada.id))
    db.session.commit()
    notices.after_change([put_subscription(make_user("bob"), number=2, **CANCELLED)])
    assert sorted("To: bob@example.com" in mail for mail in mails()) == [False, True]


def test_notice_whose_job_is_done_though_it_is_unsent(ada: User, noted_job: int) -> None:
    """As an earlier version left them behind, when SQLite had given an id again."""
    assert running.run(noted_job)
    db.session.execute(db.update(Notice).values(sent_at=None))
    db.session.commit()
    assert notices.run() == 0
    with _later():
        assert notices.run() == 1
        assert notices.run() == 0
    assert len(mails()) == 2


@pytest.mark.usefixtures("noted_job")
def test_notice_of_before_there_were_jobs_is_sent() -> None:
    db.session.execute(db.delete(Job))
    db.session.commit()
    with _later():
        assert notices.run() == 1
        assert notices.run() == 0
    assert len(mails()) == 1


@pytest.fixture
def noted_job(ada: User, make_app: Any, tmp_path: Path) -> int:
    """A mail that is noted and waits for a worker."""
    put_subscription(ada, **CANCELLED)
    with make_app(jobs_url=f"sqlite:///{tmp_path}/jobs.db").app_context():
        assert notices.run() == 1
    return db.session.scalars(db.select(Job.id)).one()


def test_command(app: Flask) -> None:
    with app.app_context():
        put_subscription(make_user("ada"), **TRIAL)
    result = app.test_cli_runner().invoke(args=["billing", "notices"])
    assert result.output == "1 mails on their way.\n0 new addresses told to Polar.\n"
    again = app.test_cli_runner().invoke(args=["billing", "notices"])
    assert again.output.startswith("0 mails on their way.")


def test_customer_without_an_account_gets_no_mail_of_ours(app: Flask) -> None:
    with app.app_context():
        user = make_user("ada")
        put_subscription(user, **CANCELLED)
        db.session.delete(db.session.get_one(User, user.id))
        db.session.commit()
        assert notices.run() == 0


@pytest.mark.usefixtures("ada")
def test_somebody_writes_while_the_mail_server_works(
    noted_job: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite refuses at once to write on top of what was read before somebody else wrote."""

    def deliver_slowly(*_: Any) -> None:
        with db.engine.begin() as other:
            other.execute(db.update(Subscription).values(amount=Subscription.amount + 1))

    monkeypatch.setattr("saas.mail._deliver", deliver_slowly)
    assert running.run(noted_job)
    assert db.session.scalars(db.select(Notice.sent_at)).one() is not None
