"""Mails about billing: each one once, whatever Polar sends how often and in which order."""

import random
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, current_app

from saas import config
from saas.accounts.models import User
from saas.billing import emails, notices, occasions
from saas.billing.models import Notice, Subscription
from saas.config import BILLING_MAILS, ROOT, current
from saas.extensions import db
from saas.kit.datetimes import utcnow
from tests.billing.holding_data import put_order, put_subscription
from tests.people import make_user
from tests.webhooks.door import event, send

DAY = timedelta(days=1)
NOW = utcnow()
PRO = {"started_at": (NOW - 40 * DAY).isoformat()}
CANCELLED = PRO | {"cancel_at_period_end": True, "canceled_at": NOW.isoformat()}
ENDED = PRO | {"status": "canceled", "ended_at": NOW.isoformat(), "ends_at": NOW.isoformat()}
OWED = PRO | {"status": "past_due", "past_due_at": NOW.isoformat()}
TRIAL = {
    "status": "trialing",
    "started_at": (NOW - 11 * DAY).isoformat(),
    "trial_end": (NOW + 2 * DAY).isoformat(),
}
STATES: dict[str, tuple[dict[str, Any], str]] = {
    "payment_failed": (OWED, "Your payment for Pro failed"),
    "trial_ending": (TRIAL, "Your free trial of Pro ends on"),
    "cancellation_confirmed": (CANCELLED, "Your plan Pro is cancelled"),
    "access_ended": (ENDED, "Your plan Pro has ended"),
}


@pytest.fixture
def ada(app: Flask) -> Iterator[User]:
    with app.app_context():
        yield make_user("ada")
        settle()


def settle() -> None:
    """Wait for the mails that are on their way."""
    for thread in threading.enumerate():
        if thread.name == notices.THREAD:
            thread.join()


def mails(app: Flask | None = None) -> list[str]:
    """What is in the outbox, one text for each mail."""
    settle()
    folder = Path((app.extensions["settings"] if app else current()).mail_outbox_dir)
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.log"))]
    return [text for text in texts if "Subject:" in text]


def start_order(user: User, subscription_id: str, total: int = 2000, **changes: Any) -> str:
    fields = {
        "subscription_id": subscription_id,
        "billing_reason": "subscription_create",
        "total_amount": total,
        "created_at": NOW.isoformat(),
    }
    return put_order(user, "Pro", **(fields | changes))


@pytest.mark.parametrize(("kind", "state"), STATES.items(), ids=STATES.keys())
def test_each_state_has_its_mail_once(ada: User, kind: str, state: tuple[Any, str]) -> None:
    put_subscription(ada, **state[0])
    for _ in range(3):
        notices.run()
    found = mails()
    assert len(found) == 1
    assert f"Subject: {state[1]}" in " ".join(found[0].split())
    assert "To: ada@example.com" in found[0]
    assert "text/html" in found[0]
    assert "text/plain" in found[0]


def test_welcome_at_the_start_of_a_plan_and_after_a_purchase(ada: User) -> None:
    order_id = start_order(ada, put_subscription(ada, **PRO))
    notices.after_change([order_id])
    notices.after_change([order_id])
    assert len(mails()) == 1
    notices.after_change([put_order(ada, "Lifetime", created_at=NOW.isoformat())])
    assert sum("Welcome to Lifetime" in mail for mail in mails()) == 1


def test_welcome_to_a_trial_says_when_it_ends(ada: User) -> None:
    fresh = TRIAL | {"started_at": NOW.isoformat(), "trial_end": (NOW + 14 * DAY).isoformat()}
    notices.after_change([start_order(ada, put_subscription(ada, **fresh), 0)])
    assert "Your free trial runs until" in " ".join(mails()[0].split())


def test_no_mail_where_nothing_happened(ada: User) -> None:
    """A renewal, the free plan, an order that is not paid, and what happened long ago."""
    free = put_subscription(ada, "Free", number=2, started_at=NOW.isoformat())
    running = put_subscription(ada, **PRO)
    notices.after_change(
        [
            free,
            running,
            start_order(ada, running, billing_reason="subscription_cycle"),
        ]
    )
    long_ago = (NOW - 30 * DAY).isoformat()
    put_subscription(ada, number=3, **ENDED | {"ended_at": long_ago})
    put_subscription(ada, number=4, **CANCELLED | {"canceled_at": long_ago})
    put_order(ada, "Lifetime", "pending", created_at=NOW.isoformat())
    notices.run()
    assert mails() == []


def test_second_failure_is_told_again_and_one_that_was_paid_is_not(ada: User) -> None:
    which = put_subscription(ada, **OWED)
    notices.after_change([which])
    later = OWED | {"past_due_at": (NOW + DAY).isoformat()}
    newer = {"modified_at": (NOW + DAY).isoformat()}
    put_subscription(ada, **later, **newer)
    notices.after_change([which])
    assert len(mails()) == 2
    noted = Notice(kind="payment_failed", subject_id=which, period="x", user_id=ada.id)
    put_subscription(ada, **PRO, modified_at=(NOW + 2 * DAY).isoformat())
    db.session.add(noted)
    db.session.commit()
    assert emails.send_notice(noted, ada) is True
    assert len(mails()) == 2


def test_cancelling_again_is_confirmed_again(ada: User) -> None:
    which = put_subscription(ada, **CANCELLED)
    notices.after_change([which])
    again = {"canceled_at": (NOW + timedelta(hours=1)).isoformat()}
    put_subscription(ada, **CANCELLED | again, modified_at=(NOW + DAY).isoformat())
    notices.after_change([which])
    assert len(mails()) == 2


@pytest.mark.parametrize("seed", range(3))
def test_webhook_five_times_and_out_of_order(app: Flask, seed: int) -> None:
    """The whole way through the door: three states of one subscription, shuffled and repeated."""
    from saas.billing.models import Product
    from tests.billing.holding_data import key

    with app.app_context():
        user = make_user("ada")
        which = put_subscription(user, **PRO)
        product_id = db.session.scalars(db.select(Product.polar_id)).one()
        base = {
            "id": which,
            "customer_id": key("customer", "ada"),
            "product_id": product_id,
            "amount": 2000,
            "recurring_interval": "month",
            "created_at": (NOW - 40 * DAY).isoformat(),
            "current_period_end": (NOW + 3 * DAY).isoformat(),
        }
    deliveries = [
        (f"{kind}-{number}", event(kind, base | state | {"modified_at": at.isoformat()}))
        for number in range(5)
        for kind, state, at in [
            ("subscription.updated", PRO | {"status": "active"}, NOW - timedelta(minutes=2)),
            ("subscription.canceled", CANCELLED | {"status": "active"}, NOW),
        ]
    ] * 2
    random.Random(seed).shuffle(deliveries)
    for webhook_id, delivery in deliveries:
        assert send(app.test_client(), delivery, webhook_id=webhook_id).status_code == 202
    found = mails(app)
    assert len(found) == 1
    assert "is cancelled" in found[0]


@pytest.mark.parametrize("kind", STATES)
def test_each_mail_can_be_switched_off(make_app: Any, clean: None, kind: str) -> None:
    app: Flask = make_app(mails_off=(kind,))
    with app.app_context():
        put_subscription(make_user("ada"), **STATES[kind][0])
        assert notices.run() == 0
        assert mails() == []


def test_names_are_the_same_everywhere() -> None:
    folders = {path.name for path in (ROOT / "templates/emails").iterdir() if path.is_dir()}
    assert set(BILLING_MAILS) <= folders
    for text in (ROOT / ".env.example", ROOT / "docs/settings.md"):
        assert ", ".join(BILLING_MAILS) in text.read_text(encoding="utf-8")
    source = Path(occasions.__file__).read_text(encoding="utf-8")
    assert all(f'Occasion("{name}"' in source for name in BILLING_MAILS)


def test_unknown_name_in_the_setting_is_refused() -> None:
    settings = config.from_environment({"MAILS_OFF": "welcome, invoices", "SECRET_KEY": "x"})
    assert any("'invoices'" in problem for problem in settings.problems())


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
    import time_machine

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
