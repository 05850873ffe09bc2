"""Every state that a customer can be in, and what it grants. One table."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from saas.accounts.models import User
from saas.billing import entitlements, summary
from saas.extensions import db
from tests.billing.holding_data import NOW, key, put_order, put_subscription
from tests.people import make_user

PENDING = {
    "id": key("change"),
    "applies_at": (NOW + timedelta(days=20)).isoformat(),
    "product_id": key("other"),
}


@dataclass(frozen=True)
class Case:
    """What Polar says, and what follows: plan, status, features, projects, the words of the page."""

    plan: str
    status: str
    features: str
    projects: int
    words: str
    made: Callable[[User], Any]


def subscription(name: str = "Pro", **fields: Any) -> Callable[[User], Any]:
    return lambda user: put_subscription(user, name, **fields)


def order(name: str = "Lifetime", status: str = "paid", **fields: Any) -> Callable[[User], Any]:
    return lambda user: put_order(user, name, status, **fields)


def both(*makers: Callable[[User], Any]) -> Callable[[User], Any]:
    return lambda user: [make(user) for make in makers]


def ago(**span: float) -> str:
    return (NOW - timedelta(**span)).isoformat()


def ahead(**span: float) -> str:
    return (NOW + timedelta(**span)).isoformat()


ENDED = {"status": "canceled", "ended_at": ago(hours=1), "ends_at": ago(hours=1)}
NONE = ("free", "", 3)
PRO = ("pro", "projects reports", 25)
GRACE = 7
CASES: dict[str, Case] = {
    name: Case(plan, status, features, projects, words, made)
    for name, (plan, features, projects), status, words, made in [
        ("nothing bought", NONE, "free", "You are on the free plan.", lambda user: None),
        ("free subscription", ("free", "projects", 3), "active", "Active. Nothing to pay.",
         subscription("Free")),
        ("trialing", PRO, "trialing", "Free trial until 25 November 2026.",
         subscription(status="trialing", trial_end=(NOW + timedelta(days=5)).isoformat())),
        ("active", PRO, "active", "Active. Renews on 10 December 2026.", subscription()),
        ("ends at period end", PRO, "active",
         "Cancelled. You keep your plan until 10 December 2026.",
         subscription(cancel_at_period_end=True, canceled_at=ago(days=1))),
        ("trial that ends for good", PRO, "trialing",
         "Cancelled. You keep your plan until 10 December 2026.",
         subscription(status="trialing", cancel_at_period_end=True)),
        ("cancelled, the last second", PRO, "active", "Cancelled. You keep your plan until",
         subscription(cancel_at_period_end=True, ends_at=ahead(seconds=1))),
        ("cancelled, its last day over and nobody told us", NONE, "canceled",
         "Ended on 20 November 2026.",
         subscription(cancel_at_period_end=True, ends_at=ago())),
        ("trial cancelled, its last day over and nobody told us", NONE, "canceled",
         "Ended on 20 November 2026.",
         subscription(status="trialing", cancel_at_period_end=True, ends_at=ago())),
        ("past due and cancelled, within grace but its last day over", NONE, "canceled",
         "Ended on 20 November 2026.",
         subscription(status="past_due", past_due_at=ago(days=1), cancel_at_period_end=True,
                      ends_at=ago())),
        ("to end at a moment, but not cancelled", PRO, "active", "Active. Renews on",
         subscription(ends_at=ago(hours=1))),
        ("renewal that nobody told us of", PRO, "active", "Active. Renews on",
         subscription(current_period_end=ago(days=2))),
        ("pause scheduled, the last second", PRO, "active", "Active. Pauses on",
         subscription(pause_at_period_end=True, current_period_end=ahead(seconds=1))),
        ("pause begun and nobody told us", NONE, "paused", "Pro is paused.",
         subscription(pause_at_period_end=True, current_period_end=ago())),
        ("pause begun and over, and nobody told us either", NONE, "paused",
         "Pro is paused. Nothing is charged. It resumes by itself on",
         subscription(pause_at_period_end=True, current_period_end=ago(days=40),
                      resumes_at=ago(days=1))),
        ("cancelled and over by the clock, a new one runs", PRO, "active", "Active.",
         both(subscription("Team", number=1, cancel_at_period_end=True, ends_at=ago()),
              subscription("Pro", number=2))),
        ("pause scheduled", PRO, "active", "Active. Pauses on 10 December 2026.",
         subscription(pause_at_period_end=True)),
        ("change scheduled", PRO, "active", "Active. Changes on 10 December 2026.",
         subscription(pending_update=PENDING)),
        ("past due, the first minute", PRO, "past_due", "The last payment failed.",
         subscription(status="past_due", past_due_at=ago(seconds=1))),
        ("past due, the last minute of grace", PRO, "past_due", "The last payment failed.",
         subscription(status="past_due", past_due_at=ago(days=GRACE, seconds=-60))),
        ("past due, grace over to the second", NONE, "past_due", "The last payment failed.",
         subscription(status="past_due", past_due_at=ago(days=GRACE))),
        ("past due without a date", NONE, "past_due", "The last payment failed.",
         subscription(status="past_due")),
        ("past due, benefits revoked by Polar", ("pro", "", 3), "past_due",
         "The last payment failed.",
         subscription(status="past_due", past_due_at=ago(days=1), grants=False)),
        ("paused", NONE, "paused", "Pro is paused.", subscription(status="paused", grants=False)),
        ("paused, its benefits not revoked yet", NONE, "paused", "Pro is paused.",
         subscription(status="paused")),
        ("canceled and over", NONE, "canceled", "Ended on 20 November 2026.",
         subscription(**ENDED, grants=False)),
        ("revoked, its benefits not revoked yet", NONE, "canceled", "Ended on",
         subscription(**ENDED)),
        ("unpaid", NONE, "unpaid", "Ended, because the payment failed.",
         subscription(status="unpaid")),
        ("incomplete", NONE, "incomplete", "The first payment is not complete.",
         subscription(status="incomplete")),
        ("incomplete for good", NONE, "canceled", "The first payment was never completed.",
         subscription(status="incomplete_expired")),
        ("two subscriptions: the dearer names the plan, features add up",
         ("team", "api projects reports", 100), "active", "Active.",
         both(subscription("Pro", number=1), subscription("Team", number=2))),
        ("a year of a small plan is not dearer than a month of a big one",
         ("team", "api projects reports", 100), "active", "Active.",
         both(subscription("Pro Yearly", number=1), subscription("Team", number=2))),
        ("an old one ended, a new one runs", PRO, "active", "Active.",
         both(subscription("Team", number=1, **ENDED), subscription("Pro", number=2))),
        ("a late revocation of the old one does not touch the payer", PRO, "active", "Active.",
         both(subscription("Pro", number=2),
              subscription("Pro", number=1, **ENDED, grants=False))),
        ("past due beside a running one", PRO, "active", "Active.",
         both(subscription("Team", number=1, status="past_due", past_due_at=ago(days=30)),
              subscription("Pro", number=2))),
        ("bought once", ("lifetime", "projects reports", 25), "active",
         "Yours for good.", order()),
        ("bought once, years ago", ("lifetime", "projects reports", 25), "active",
         "Yours for good.", order(created_at=ago(days=3000))),
        ("bought once, and a subscription that ended", ("lifetime", "projects reports", 25),
         "active", "Yours for good.", both(order(), subscription(**ENDED))),
        ("bought once, and a subscription on top", ("team", "api projects reports", 100), "active",
         "Active.", both(order(), subscription("Team"))),
        ("bought once beside the free plan", ("lifetime", "projects reports", 25), "active",
         "Yours for good.", both(order(), subscription("Free"))),
        ("not paid yet", NONE, "free", "You are on the free plan.",
         order(status="pending", grants=False)),
        ("partial refund keeps", ("lifetime", "projects reports", 25), "active",
         "Yours for good.",
         order(status="partially_refunded", refunded_amount=1000)),
        ("full refund, benefits revoked", NONE, "free", "You are on the free plan.",
         order(status="refunded", refunded_amount=39900, grants=False)),
        ("full refund, benefits left", ("free", "projects reports", 25), "free",
         "You are on the free plan. What is listed below stays yours.",
         order(status="refunded", refunded_amount=39900)),
        ("full refund, another grant of the same benefits", PRO, "active", "Active.",
         both(order(status="refunded", grants=False), subscription("Pro"))),
        ("void order", NONE, "free", "You are on the free plan.",
         order(status="void", grants=False)),
    ]
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_state(make_app: Any, clean: None, case: Case) -> None:
    app: Flask = make_app(past_due_grace_days=GRACE)
    with app.app_context(), time_machine.travel(NOW, tick=False):
        user = make_user("ada")
        case.made(user)
        found = entitlements.for_user(user)
        words = summary.summary(user).status_words
        db.session.remove()
    assert (found.plan.key, found.status) == (case.plan, case.status)
    assert " ".join(sorted(found.features)) == case.features
    assert found.limit("projects") == case.projects
    assert words.startswith(case.words)


def test_without_a_grace_period_access_ends_at_once(app: Flask) -> None:
    with app.app_context(), time_machine.travel(NOW, tick=False):
        user = make_user("ada")
        put_subscription(user, status="past_due", past_due_at=NOW.isoformat())
        found = entitlements.for_user(user)
    assert (found.plan.key, found.past_due_at) == ("free", NOW)


def test_nobody_gets_what_somebody_else_bought(app: Flask) -> None:
    with app.app_context():
        ada, bob = make_user("ada"), make_user("bob")
        put_subscription(ada, "Team")
        assert entitlements.for_user(ada).plan.key == "team"
        assert entitlements.for_user(bob) == entitlements.FREE
