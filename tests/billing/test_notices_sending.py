"""Sending the mails about billing: once, by whoever comes first, and again when the server was down."""

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask, current_app

from saas.accounts.models import User
from saas.billing import notices
from saas.billing.models import Subscription
from saas.extensions import db
from tests.billing.holding_data import put_subscription
from tests.billing.mailing import CANCELLED, NOW, TRIAL, mails
from tests.people import make_user


def test_mail_server_down_is_tried_again(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    which = put_subscription(ada, **CANCELLED)
    with monkeypatch.context() as patch:
        patch.setattr("saas.mail._deliver", lambda *_: (_ for _ in ()).throw(OSError("down")))
        notices.after_change([which])
        assert mails() == []
    assert notices.run() == 0  # It may be on its way.
    with _later():
        assert notices.run() == 1
    assert len(mails()) == 1


def _later() -> Any:
    return time_machine.travel(NOW + timedelta(minutes=10), tick=False)


def test_trouble_with_mails_never_reaches_the_caller(
    ada: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_ids: set[str]) -> list[int]:
        raise RuntimeError("no")

    monkeypatch.setattr(notices, "note", broken)
    notices.after_change(["x"])
    assert "could not be noted" in caplog.text


def test_two_processes_send_it_once(ada: User) -> None:
    put_subscription(ada, **CANCELLED)
    ids = notices.note({db.session.scalars(db.select(Subscription.polar_id)).one()})
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    sent: list[bool] = []

    def try_it() -> None:
        with app.app_context():
            sent.append(notices.send(ids[0]))

    threads = [threading.Thread(target=try_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sent) == [False, False, False, True]
    assert len(mails()) == 1


def test_account_that_is_gone_takes_its_mails_along(ada: User) -> None:
    put_subscription(ada, **CANCELLED)
    ids = notices.note({db.session.scalars(db.select(Subscription.polar_id)).one()})
    db.session.delete(db.session.get_one(User, ada.id))
    db.session.commit()
    assert notices.send(ids[0]) is False
    assert mails() == []


def test_command(app: Flask) -> None:
    with app.app_context():
        put_subscription(make_user("ada"), **TRIAL)
    result = app.test_cli_runner().invoke(args=["billing", "notices"])
    assert result.output == "1 mails sent.\n0 new addresses told to Polar.\n"
    again = app.test_cli_runner().invoke(args=["billing", "notices"])
    assert again.output.startswith("0 mails sent.")


def test_customer_without_an_account_gets_no_mail_of_ours(app: Flask) -> None:
    with app.app_context():
        user = make_user("ada")
        put_subscription(user, **CANCELLED)
        db.session.delete(db.session.get_one(User, user.id))
        db.session.commit()
        assert notices.run() == 0


def test_somebody_writes_while_the_mail_server_fails(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite refuses at once to write on top of what was read before somebody else wrote."""
    which = put_subscription(ada, **CANCELLED)
    ids = notices.note({which})

    def fail_slowly(*_: Any) -> None:
        with db.engine.begin() as other:
            other.execute(db.update(Subscription).values(amount=Subscription.amount + 1))
        raise OSError("down")

    with monkeypatch.context() as patch:
        patch.setattr("saas.mail._deliver", fail_slowly)
        assert notices.send(ids[0]) is False
    with _later():
        assert notices.run() == 1
    assert len(mails()) == 1
