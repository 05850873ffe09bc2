"""What an earlier switch has left for the next invoice is reckoned in wherever money is said."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import gateway, outstanding
from saas.billing.models import Order, Subscription
from saas.extensions import db
from tests.billing.buying import buy, fill_catalogue
from tests.billing.holding_data import NOW, put_subscription
from tests.billing.test_plan_changes import confirm, page_of
from tests.browsing import sign_in, soup, submit
from tests.people import make_user

Shop = tuple[FlaskClient, dict[str, str]]
BILLING, RESUMPTION = "/settings/billing", "/settings/billing/resumption"
PAUSE, CANCELLATION = "/settings/billing/pause", "/settings/billing/cancellation"


@pytest.fixture
def shop(polar_app: Flask, polar: LocalPolar) -> Shop:
    """Somebody who went from $20 to $50 at the begin of the month, to be paid with the next invoice."""
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    confirm(client, ids["Team Monthly"], "prorate")
    client.get(BILLING)  # Takes the word about the switch away.
    return client, ids


def text(client: FlaskClient, url: str) -> str:
    """The page with its amounts as they are at the very begin of the period."""
    page = " ".join(soup(client.get(url)).get_text(" ").split())
    for cents, round_amount in (("$29.99", "$30"), ("$49.99", "$50"), ("$19.99", "$20")):
        page = page.replace(cents, round_amount)
    return page.replace("$79.99", "$80").replace("$180.01", "$180").replace("$179.99", "$180")


def charged(app: Flask, client: FlaskClient, polar: LocalPolar) -> int:
    """What the youngest order came to, in whole dollars."""
    polar.wait_idle()
    client.get("/settings/billing/returned")
    with app.app_context():
        orders = db.select(Order.total_amount).order_by(Order.created_at.desc())
        return round((db.session.scalars(orders.limit(1)).one()) / 100)


def test_billing_settings_tell_it_until_it_is_paid(
    polar_app: Flask, polar: LocalPolar, shop: Shop
) -> None:
    client, _ = shop
    assert "About $30 from the switch on " in text(client, BILLING)
    assert "is on your next invoice." in text(client, BILLING)
    polar.advance(days=31)
    assert charged(polar_app, client, polar) == 80
    assert "from the switch on" not in text(client, BILLING)


def test_switch_to_another_interval_charges_it_now(
    polar_app: Flask, polar: LocalPolar, shop: Shop
) -> None:
    client, ids = shop
    page = text(client, page_of(ids["Pro Yearly"]))
    assert "About $30 from the switch on " in page
    assert "You pay about $180 now: $200 for a new period" in page
    assert "with the $30 that waits from before" in page
    confirm(client, ids["Pro Yearly"], "invoice")
    assert charged(polar_app, client, polar) == 180
    assert "from the switch on" not in text(client, BILLING)


@pytest.mark.parametrize(
    ("behavior", "says", "comes"),
    [
        ("prorate", "is about the new price, with the $30 that waits from before: about $20.", 20),
        ("next_period", "with the $30 that waits from before: about $50.", 50),
    ],
)
def test_back_to_the_smaller_plan(
    polar_app: Flask, polar: LocalPolar, shop: Shop, behavior: str, says: str, comes: int
) -> None:
    client, ids = shop
    page = text(client, page_of(ids["Pro Monthly"]))
    assert "left over as your credit" not in page
    if behavior == "next_period":  # The other one depends on the seconds between the two switches.
        assert says in page
    confirm(client, ids["Pro Monthly"], behavior)
    polar.advance(days=31)
    assert charged(polar_app, client, polar) == comes


def test_payment_of_a_switch_settles_what_waits(
    polar_app: Flask, polar: LocalPolar, shop: Shop
) -> None:
    client, ids = shop
    confirm(client, ids["Pro Monthly"], "prorate")
    page = text(client, page_of(ids["Team Monthly"]))
    assert "You pay about $30 now, for the rest of the period" in page
    confirm(client, ids["Team Monthly"], "invoice")
    assert charged(polar_app, client, polar) == 30
    assert "from the switch on" not in text(client, BILLING)


def test_resuming_says_what_it_charges(polar_app: Flask, polar: LocalPolar, shop: Shop) -> None:
    client, _ = shop
    page = text(client, PAUSE)
    assert "the first time with about $30 that waits from your last switch" in page
    assert ", then about $80 is charged" in page
    submit(client, PAUSE, months="0")
    polar.advance(days=31)
    client.get("/settings/billing/returned")
    assert "About $80 is charged to your card now." in text(client, RESUMPTION)
    assert "is charged when it resumes." in text(client, RESUMPTION)
    submit(client, RESUMPTION)
    assert charged(polar_app, client, polar) == 80


def test_cancelling_says_what_is_still_charged(
    polar_app: Flask, polar: LocalPolar, shop: Shop
) -> None:
    client, _ = shop
    page = text(client, CANCELLATION)
    assert "About $30 from your last switch is still charged on " in page
    assert "Nothing more is charged." not in page
    submit(client, CANCELLATION)
    assert "is charged on " in text(client, BILLING)
    assert "from the switch on" in text(client, "/settings/billing/keep")
    polar.advance(days=31)
    assert charged(polar_app, client, polar) == 30


def test_no_invoice_is_promised_to_who_has_cancelled(
    polar_app: Flask, polar: LocalPolar, shop: Shop
) -> None:
    client, ids = shop
    confirm(client, ids["Pro Monthly"], "prorate")
    submit(client, CANCELLATION)
    page = text(client, BILLING)
    assert "is kept as your credit." in page
    assert "next invoice" not in page


def test_switch_made_elsewhere_counts_as_well(polar_app: Flask, polar: LocalPolar) -> None:
    """In the portal, say: our copy shows another plan within the same period, and no order for it."""
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    with polar_app.app_context():
        polar_id = db.session.scalars(db.select(Subscription.polar_id)).one()
        change = {"product_id": ids["Team Monthly"], "proration_behavior": "prorate"}
        gateway.update_subscription(polar_id, **change)
    client.get("/settings/billing/returned")
    assert "About $30 from the switch on " in text(client, BILLING)


def test_trial_leaves_nothing(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Team Monthly"])
    with polar_app.app_context():
        polar_id = db.session.scalars(db.select(Subscription.polar_id)).one()
        change = {"product_id": ids["Pro Monthly"], "proration_behavior": "prorate"}
        gateway.update_subscription(polar_id, **change)
    client.get("/settings/billing/returned")
    assert "from the switch on" not in text(client, BILLING)


START, END = NOW - timedelta(days=10), NOW + timedelta(days=20)


def seen(user: User, name: str, after: int, **changes: Any) -> str:
    """Keep a snapshot of the subscription, that many hours after now."""
    return put_subscription(
        user,
        name,
        modified_at=(NOW + timedelta(hours=after)).isoformat(),
        current_period_start=START.isoformat(),
        current_period_end=changes.pop("end", END).isoformat(),
        **changes,
    )


@pytest.mark.parametrize(
    ("changes", "amounts"),
    [
        ([("Pro", 0, {}), ("Team", 1, {})], [1995]),
        ([("Team", 1, {}), ("Pro", 0, {})], []),  # Late news: the older one changes nothing.
        ([("Pro", 0, {}), ("Team", 1, {}), ("Team", 1, {})], [1995]),
        ([("Pro", 0, {}), ("Team", 1, {}), ("Pro", 2, {})], [1995, -1991]),
        ([("Pro", 0, {}), ("Pro", 1, {"amount": 1000})], []),  # A discount leaves nothing behind.
        ([("Pro", 0, {"status": "trialing"}), ("Team", 1, {})], []),
    ],
)
def test_what_is_written_down(
    app: Flask, changes: list[tuple[str, int, dict[str, Any]]], amounts: list[int]
) -> None:
    """20 days of 30 less the hours are left, of a difference of $30."""
    with app.app_context(), time_machine.travel(NOW + timedelta(hours=3), tick=False):
        user = make_user("ada")
        for name, after, more in changes:
            polar_id = seen(user, name, after, **more)
        found = outstanding.of(db.session.get_one(Subscription, polar_id))
        assert [change.amount for change in found] == amounts


def test_next_period_begins_with_nothing(app: Flask) -> None:
    with app.app_context():
        user = make_user("ada")
        seen(user, "Pro", 0)
        polar_id = seen(user, "Team", 1)
        with time_machine.travel(END + timedelta(hours=1), tick=False):
            assert outstanding.of(db.session.get_one(Subscription, polar_id)) == []
