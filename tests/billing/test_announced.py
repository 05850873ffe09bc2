"""What is announced comes, and what comes was announced: at the local Polar, as its clock goes on."""

from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import entitlements, gateway, notices, reconcile
from saas.billing.models import Notice, Order, Subscription
from saas.extensions import db
from saas.templating import day
from tests.billing.buying import buy, choose, fill_catalogue, pay
from tests.billing.mailing import mails
from tests.billing.test_plan_changes import confirm
from tests.browsing import sign_in, soup, submit

DAY = timedelta(days=1)
PAYS_ONCE_CARD = "4000000000000341"
CANCELLATION, PAUSE = "/settings/billing/cancellation", "/settings/billing/pause"
Shop = tuple[FlaskClient, dict[str, str]]


@pytest.fixture
def shop(polar_app: Flask) -> Shop:
    ids = fill_catalogue(polar_app)
    return sign_in(polar_app)[0], ids


def text(client: FlaskClient, url: str = "/settings/billing") -> str:
    return " ".join(soup(client.get(url)).get_text(" ").split())


def go_on(polar: LocalPolar, days: float) -> None:
    polar.advance(days * DAY.total_seconds())
    polar.wait_idle()


def read(app: Flask) -> Subscription:
    """Read everything from Polar and return the subscription."""
    with app.app_context():
        reconcile.pull_user(db.session.scalars(db.select(User)).one())
        return db.session.scalars(db.select(Subscription)).one()


def told(app: Flask, now: datetime | None = None) -> list[str]:
    """Have sent what is due; return all mails so far."""
    with app.app_context():
        notices.run(now)
    return [" ".join(mail.split()) for mail in mails(app)]


def test_pause_with_an_end(shop: Shop, polar_app: Flask, polar: LocalPolar) -> None:
    """The day and the charge are said before, on the way and in a mail, and then they come."""
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    end = read(polar_app).current_period_end
    assert end is not None
    resumes = day(end + 30 * DAY)
    page = text(client, PAUSE)
    assert f"Until {resumes}, then $20 is charged" in page
    assert "your card is charged $20 per month again" in page
    submit(client, PAUSE, months="1")
    words = f"It resumes by itself on {resumes}: a new period begins, and your card is charged $20"
    page = text(client)
    assert f"You keep it until then. {words}" in page
    assert f"Active. Pauses on {day(end)}. {words}" in page
    assert words in text(client, "/settings/billing/keep")
    go_on(polar, 32)
    found = read(polar_app)
    assert (found.status, found.resumes_at) == ("paused", end + 30 * DAY)
    page = text(client)
    assert f"Pro Monthly is paused. Nothing is charged. {words}" in page
    assert f"Resumes on {resumes}" in page
    assert len(told(polar_app, end + 26 * DAY)) == 1  # The welcome.
    mail = [told(polar_app, end + 27.5 * DAY) for _ in range(3)][-1]
    assert len(mail) == 2
    said = next(each for each in mail if f"Subject: Pro Monthly resumes on {resumes}" in each)
    assert "your card is charged $20 per month again" in said
    go_on(polar, 30)
    assert read(polar_app).status == "active"
    with polar_app.app_context():
        assert db.session.scalars(db.select(Order.total_amount)).all() == [2000, 2000]


def test_pause_without_an_end(shop: Shop, polar_app: Flask, polar: LocalPolar) -> None:
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    submit(client, PAUSE, months="0")
    assert "resumes by itself" not in text(client)


def test_pause_of_another_length_is_refused(
    shop: Shop, polar_app: Flask, polar: LocalPolar
) -> None:
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    assert submit(client, PAUSE, months="4").status_code == 422
    assert read(polar_app).pause_at_period_end is False


def test_trial_that_ends_in_another_plan(shop: Shop, polar_app: Flask, polar: LocalPolar) -> None:
    client, ids = shop
    buy(client, polar, ids["Team Monthly"])
    confirm(client, ids["Pro Monthly"], "next_period")
    end = read(polar_app).trial_end
    assert end is not None
    words = f"Your free trial of Team Monthly ends on {day(end)}."
    mail = next(each for each in told(polar_app, end - DAY) if words in each)
    assert "It changes to Pro Monthly then, as you asked, and you pay $20 per month" in mail
    assert "$50" not in mail


def test_card_that_fails_at_the_end_of_a_trial(
    shop: Shop, polar_app: Flask, polar: LocalPolar
) -> None:
    """Cancelled when it is closed already: the mail promises nothing."""
    client, ids = shop
    chosen = choose(client, ids["Team Monthly"])
    client.get(pay(polar, chosen.location, card=PAYS_ONCE_CARD))
    go_on(polar, 15)
    assert read(polar_app).status == "past_due"
    submit(client, CANCELLATION)
    mail = next(each for each in told(polar_app) if "is cancelled" in each)
    assert "Team Monthly is closed until it is paid." in mail
    assert "may still be tried" in mail
    assert "You keep" not in mail
    assert "Nothing more is charged" not in mail


def test_cancelled_after_a_switch_was_scheduled(
    shop: Shop, polar_app: Flask, polar: LocalPolar
) -> None:
    """Polar keeps the switch that waits, but it does not come; taking back takes both back."""
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    confirm(client, ids["Team Monthly"], "next_period")
    assert "Pro Monthly changes to Team Monthly on" in text(client)
    assert "for $50 per month. This will not happen." in text(client, CANCELLATION)
    submit(client, CANCELLATION)
    assert read(polar_app).pending_update is not None
    page = text(client)
    assert "Cancelled. You keep your plan until" in page
    assert "changes to" not in page
    assert "From " not in text_of(client, "plan-team-monthly")
    assert "scheduled before is undone as well" in text(client, "/settings/billing/keep")
    submit(client, "/settings/billing/keep")
    found = read(polar_app)
    assert (found.cancel_at_period_end, found.pending_update) == (False, None)


def text_of(client: FlaskClient, testid: str) -> str:
    card = soup(client.get("/pricing")).select_one(f'[data-testid="{testid}"]')
    assert card is not None
    return card.get_text(" ")


@pytest.mark.parametrize("loses_webhooks", [False, True])
@pytest.mark.parametrize("behavior", ["invoice", "prorate", "next_period"])
def test_welcome_to_every_plan_that_begins(
    shop: Shop, polar_app: Flask, polar: LocalPolar, behavior: str, loses_webhooks: bool
) -> None:
    """Once, however it was switched, and when only the reading of everything tells us."""
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    read(polar_app)
    assert len(told(polar_app)) == 1
    polar.faults(drop_webhooks=loses_webhooks)
    with polar_app.app_context():
        which = db.session.scalars(db.select(Subscription.polar_id)).one()
        gateway.update_subscription(
            which, product_id=ids["Team Monthly"], proration_behavior=behavior
        )
    polar.wait_idle()
    if behavior == "next_period":
        read(polar_app)
        assert len(told(polar_app)) == 1
        go_on(polar, 32)
    for _ in range(3):
        read(polar_app)
        mail = told(polar_app)
    assert len(mail) == 2
    assert sum("Subject: Welcome to Team Monthly" in each for each in mail) == 1
    if behavior != "next_period":
        go_on(polar, 32)
        read(polar_app)
        assert len(told(polar_app)) == 2  # The renewal begins nothing.


@pytest.mark.parametrize("renews", [False, True])
def test_end_that_nobody_told_us_of(
    shop: Shop, polar_app: Flask, polar: LocalPolar, renews: bool
) -> None:
    """A cancelled plan closes at its last moment, and is said to. A late renewal closes nobody."""
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    told(polar_app)
    if not renews:
        submit(client, CANCELLATION)
    found = read(polar_app)
    assert found.current_period_end is not None
    polar.faults(drop_webhooks=True)
    for late, is_open in [(-1, True), (0, renews), (3600, renews)]:
        moment = found.current_period_end + timedelta(seconds=late)
        with time_machine.travel(moment, tick=False), polar_app.app_context():
            user = db.session.scalars(db.select(User)).one()
            assert entitlements.for_user(user).can("reports") is is_open
            for _ in range(2):
                notices.run()
    with polar_app.app_context():
        kinds = db.session.scalars(db.select(Notice.kind).order_by(Notice.id)).all()
    assert kinds == ["welcome"] if renews else ["welcome", "cancellation_confirmed", "access_ended"]
    assert read(polar_app).status == "active"  # For Polar the day has not come.
