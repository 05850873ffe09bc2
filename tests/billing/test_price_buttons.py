"""The buttons of the pricing page by state: each leads to something that can be done."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from saas.accounts.models import User
from saas.extensions import db
from tests.billing.catalogue_data import product, put
from tests.billing.holding_data import NOW, put_order, put_product, put_subscription
from tests.browsing import sign_in, soup

END = (NOW + timedelta(days=20)).isoformat()
PLANS = ("Free", "Pro", "Team", "Lifetime")


def buttons(client: FlaskClient) -> dict[str, str]:
    """The label of each card's button, and where it leads."""
    found = {}
    page = soup(client.get("/pricing"))
    for name in PLANS:
        action = page.select_one(f'[data-testid="plan-{name.lower()}"] .price-action')
        assert action is not None
        link, form = action.select_one("a"), action.select_one("form")
        target = link["href"] if link else form["action"] if form else "-"
        found[name] = f"{' '.join(action.get_text().split())} > {str(target).partition('?')[0]}"
    return found


def change(product_name: str) -> dict[str, Any]:
    return {"id": "x", "applies_at": END, "product_id": put_product(product_name)}


ONCE = "Buy once > /checkout"
PLAN, BILLING = "/settings/billing/plan", "/settings/billing"
CANCEL = "Switch to Free > /settings/billing/cancellation"
TEAM = f"Switch to Team > {PLAN}"
OWED = f"Pay the open invoice first > {BILLING}"
STATES: dict[str, tuple[Any, tuple[str, str, str, str]]] = {
    "nothing bought": (
        lambda user: None,
        ("Your plan > -", "Choose Pro > /checkout", "Choose Team > /checkout", ONCE),
    ),
    "free subscription": (
        lambda user: put_subscription(user, "Free"),
        ("Your plan > -", "Upgrade to Pro > /checkout", "Upgrade to Team > /checkout", ONCE),
    ),
    "active": (put_subscription, (CANCEL, "Your plan > -", TEAM, ONCE)),
    "trialing": (
        lambda user: put_subscription(user, status="trialing", trial_end=END),
        (CANCEL, "Your plan > -", TEAM, ONCE),
    ),
    "ends": (
        lambda user: put_subscription(user, cancel_at_period_end=True),
        ("From 10 December 2026 > -", f"Keep > {BILLING}/keep", TEAM, ONCE),
    ),
    "pauses": (
        lambda user: put_subscription(user, pause_at_period_end=True),
        (CANCEL, f"Keep > {BILLING}/keep", TEAM, ONCE),
    ),
    "changes": (
        lambda user: put_subscription(user, pending_update=change("Team")),
        (CANCEL, f"Keep > {BILLING}/keep", "From 10 December 2026 > -", ONCE),
    ),
    "paused": (
        lambda user: put_subscription(user, status="paused", grants=False),
        (CANCEL, f"Resume > {BILLING}/resumption", TEAM, ONCE),
    ),
    "past due": (
        lambda user: put_subscription(user, status="past_due", past_due_at=NOW.isoformat()),
        (OWED, f"Pay to open it again > {BILLING}", OWED, ONCE),
    ),
    "past due, its last day over": (
        lambda user: put_subscription(
            user, status="past_due", cancel_at_period_end=True, ends_at=NOW.isoformat()
        ),
        ("Your plan > -", "Choose Pro > /checkout", "Choose Team > /checkout", ONCE),
    ),
    "changes, but cancelled then": (
        lambda user: put_subscription(
            user, pending_update=change("Team"), cancel_at_period_end=True
        ),
        ("From 10 December 2026 > -", f"Keep > {BILLING}/keep", TEAM, ONCE),
    ),
    "free subscription, and bought once": (
        lambda user: [put_subscription(user, "Free"), put_order(user)],
        ("Included > -", "Upgrade to Pro > /checkout", "Upgrade to Team > /checkout", "Yours > -"),
    ),
    "ended": (
        lambda user: put_subscription(user, status="canceled", ended_at=NOW.isoformat()),
        ("Your plan > -", "Choose Pro > /checkout", "Choose Team > /checkout", ONCE),
    ),
    "bought once": (
        put_order,
        ("Included > -", "Choose Pro > /checkout", "Choose Team > /checkout", "Yours > -"),
    ),
}


@pytest.mark.parametrize(("made", "expected"), STATES.values(), ids=STATES.keys())
def test_buttons(app: Flask, made: Any, expected: tuple[str, ...]) -> None:
    client, _ = sign_in(app)
    with app.app_context():
        for name in PLANS:
            put_product(name)
        db.session.commit()
        made(db.session.scalars(db.select(User)).one())
    assert buttons(client) == dict(zip(PLANS, expected, strict=True))


def test_visitors_start_for_free_or_choose(app: Flask) -> None:
    with app.app_context():
        for name in PLANS:
            put_product(name)
        db.session.commit()
    found = buttons(app.test_client())
    assert found["Free"] == "Start for free > /signup"
    assert found["Pro"] == "Choose Pro > /signup"


def test_several_subscriptions_each_have_their_steps(app: Flask) -> None:
    client, _ = sign_in(app)
    with app.app_context():
        user = db.session.scalars(db.select(User)).one()
        small = put_subscription(user, "Pro", 1)
        big = put_subscription(user, "Team", 2)
        put_subscription(user, "Pro", 3, status="canceled", ended_at=NOW.isoformat())
    page = soup(client.get("/settings/billing"))
    steps = {
        name: [str(tag["href"]) for tag in page.select(f'[data-testid="{name}"]')]
        for name in ("cancel-plan", "other-cancel-plan")
    }
    assert steps == {
        "cancel-plan": [f"/settings/billing/cancellation?subscription={big}"],
        "other-cancel-plan": [f"/settings/billing/cancellation?subscription={small}"],
    }


def test_trial_is_promised_only_to_who_gets_it(app: Flask, client: FlaskClient) -> None:
    """Neither a switch nor the upgrade of a free subscription brings a trial."""
    with app.app_context():
        put(
            product(
                "Team", trial_interval="day", trial_interval_count=14, metadata={"plan": "team"}
            )
        )
    assert "14 days free" in client.get("/pricing").text
    for name in ("Free", "Pro"):
        customer, public_id = sign_in(app, email=f"{name.lower()}@example.com")
        assert "14 days free" in customer.get("/pricing").text
        with app.app_context():
            user = db.session.scalars(db.select(User).where(User.public_id == public_id)).one()
            put_subscription(user, name)
            db.session.commit()
        page = customer.get("/pricing").text
        assert "14 days free" not in page
        assert "Start free trial" not in page
