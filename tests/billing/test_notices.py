"""Mails about billing: each one once, whatever Polar sends how often and in which order."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from saas import config
from saas.accounts.models import User
from saas.billing import address_at_polar, emails, notices, occasions
from saas.billing.models import Notice
from saas.config import BILLING_MAILS, ROOT
from saas.extensions import db
from tests.billing.holding_data import put_order, put_subscription
from tests.billing.mailing import CANCELLED, DAY, ENDED, NOW, OWED, PRO, STATES, TRIAL, mails
from tests.people import make_user
from tests.webhooks.door import event, send


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
    assert emails.send_notice(noted, ada) is False
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
    sources = [
        Path(module.__file__).read_text(encoding="utf-8")
        for module in (occasions, address_at_polar)
    ]
    assert all(f'"{name}"' in "".join(sources) for name in BILLING_MAILS)


def test_unknown_name_in_the_setting_is_refused() -> None:
    settings = config.from_environment({"MAILS_OFF": "welcome, invoices", "SECRET_KEY": "x"})
    assert any("'invoices'" in problem for problem in settings.problems())
