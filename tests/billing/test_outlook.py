"""What is left without one subscription: the same words on the pages and in the mails."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from saas.accounts.models import User
from saas.billing import comps, decisions, notices, summary
from saas.billing.comps import Gift
from saas.billing.models import Benefit, Subscription
from saas.billing.subscriptions import NoSubscription
from saas.extensions import db
from tests.billing.holding_data import NOW, put_order, put_product, put_subscription
from tests.billing.mailing import mails
from tests.people import make_user

END = NOW + timedelta(days=20)
BEFORE = (END - timedelta(days=1)).isoformat()
CANCELLED = {
    "modified_at": (NOW + timedelta(seconds=1)).isoformat(),
    "cancel_at_period_end": True,
    "canceled_at": NOW.isoformat(),
    "ends_at": END.isoformat(),
}
OWED = {"status": "past_due", "past_due_at": NOW.isoformat()}


def beside(name: str = "Team", **fields: Any) -> Callable[[User], Any]:
    return lambda user: put_subscription(user, name, number=2, **fields)


def gift(last_day: date) -> Callable[[User], Any]:
    def give(user: User) -> None:
        product_id = put_product("Team")
        db.session.commit()
        comps.give(user, Gift(product_id, last_day, "for testing", "grace@example.com"))
        db.session.commit()

    return give


FREE = "you are on the free plan, and what belongs to Pro is closed."
CASES: dict[str, tuple[str, Callable[[User], Any], str]] = {
    "nothing else": ("Pro", lambda user: None, FREE),
    "the same, for good": ("Pro", put_order, "you are on Lifetime, which includes the same."),
    "less, for good": (
        "Team", put_order, "you are on Lifetime, and what belongs only to Team is closed.",
    ),
    "benefits of what was refunded": (
        "Team", lambda user: put_order(user, status="refunded"),
        "you are on the free plan, and what belongs only to Team is closed.",
    ),
    "a bigger one": ("Pro", beside(), "you are on Team, which includes the same."),
    "one that ends before": ("Pro", beside(**CANCELLED | {"ends_at": BEFORE}), FREE),
    "one that is owed": ("Pro", beside(**OWED), FREE),
    "a gift that lasts longer": (
        "Pro", gift(END.date()), "you are on Team, which includes the same.",
    ),
    "a gift that is over by then": ("Pro", gift(END.date() - timedelta(days=1)), FREE),
}  # fmt: skip


@pytest.mark.parametrize(("name", "made", "words"), CASES.values(), ids=CASES.keys())
def test_after_a_cancellation(
    make_app: Any, clean: None, name: str, made: Callable[[User], Any], words: str
) -> None:
    """The page says it before, the mail after."""
    app: Flask = make_app(past_due_grace_days=7)
    with app.app_context(), time_machine.travel(NOW, tick=False):
        user = make_user("ada")
        made(user)
        found = db.session.get_one(Subscription, put_subscription(user, name))
        points = decisions.cancellation(found).points
        notices.after_change([put_subscription(user, name, **CANCELLED)])
        told = " ".join(" ".join(mails()).split())
    assert points == [
        f"You keep {name} until 10 December 2026.", f"After that {words}", "Nothing more is charged."
    ]  # fmt: skip
    assert " ".join(points) in told


def test_pausing_and_ending_say_it_too(make_app: Any, clean: None) -> None:
    app: Flask = make_app()
    with app.app_context(), time_machine.travel(NOW, tick=False):
        user = make_user("ada")
        put_order(user)
        found = db.session.get_one(Subscription, put_subscription(user))
        assert (
            "After that you are on Lifetime, which includes the same."
            in decisions.pausing(found).points
        )
        later = {"modified_at": (NOW + timedelta(hours=1)).isoformat()}
        ended = {"status": "canceled", "ended_at": NOW.isoformat(), "grants": False} | later
        notices.after_change([put_subscription(user, **ended)])
        told = " ".join(" ".join(mails()).split())
    assert "Your plan Pro has ended. Now you are on Lifetime, which includes the same." in told


@pytest.mark.parametrize(
    ("since", "access"),
    [
        (timedelta(days=1), "Pro stays open until 26 November 2026, so that you can mend it."),
        (timedelta(days=7), "Pro is closed until it is paid. Meanwhile you are on the free plan."),
    ],
)
def test_cancelled_while_a_payment_is_open(
    make_app: Any, clean: None, since: timedelta, access: str
) -> None:
    """Nobody is promised what is closed, nor that nothing more is charged."""
    app: Flask = make_app(past_due_grace_days=7)
    owed = OWED | {"past_due_at": (NOW - since).isoformat()}
    with app.app_context(), time_machine.travel(NOW, tick=False):
        user = make_user("ada")
        found = db.session.get_one(Subscription, put_subscription(user, **owed))
        points = decisions.cancellation(found).points
        notices.after_change([put_subscription(user, **owed, **CANCELLED)])
        told = next(mail for mail in mails() if "is cancelled" in mail)
    assert points[:2] == [access, "Pro ends on 10 December 2026 at the latest."]
    assert "may still be tried until then" in points[2]
    assert " ".join(points) in " ".join(told.split())
    assert "You keep" not in told
    assert "Nothing more is charged" not in told


def test_open_no_longer_than_it_lasts(make_app: Any, clean: None) -> None:
    """A weekly one that is cancelled ends within a long grace period."""
    app: Flask = make_app(past_due_grace_days=14)
    end = (NOW + timedelta(days=3)).isoformat()
    with app.app_context(), time_machine.travel(NOW, tick=False):
        user = make_user("ada")
        notices.after_change([put_subscription(user, **OWED, **CANCELLED | {"ends_at": end})])
        told = " ".join(" ".join(mails()).split())
    assert "Pro stays open until 23 November 2026" in told


def test_free_plan_is_not_cancelled(make_app: Any, clean: None) -> None:
    app: Flask = make_app()
    with app.app_context(), time_machine.travel(NOW, tick=False):
        user = make_user("ada")
        found = db.session.get_one(Subscription, put_subscription(user, "Free"))
        with pytest.raises(NoSubscription, match="nothing to cancel"):
            decisions.cancellation(found)
        put_order(user)
        shown = summary.summary(user)
    assert (shown.plan_name, shown.steps) == ("Lifetime", [])


def test_of_two_limits_the_higher_one_is_listed(make_app: Any, clean: None) -> None:
    app: Flask = make_app()
    with app.app_context():
        user = make_user("ada")
        put_subscription(user, "Free")
        put_order(user)
        for row in db.session.scalars(db.select(Benefit)):
            row.description = f"{row.meta.get('limit', '')} {row.meta['feature']}".strip()
        db.session.commit()
        assert sorted(summary.summary(user).features) == ["25 projects", "reports"]
