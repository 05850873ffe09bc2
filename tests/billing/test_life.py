"""Whole lives at the local Polar: pauses, failed renewals, trials, refunds, as its clock goes on."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import entitlements, gateway, notices, plan_changes, reconcile
from saas.billing.models import Notice, Order, Product, Subscription
from saas.extensions import db
from saas.kit.datetimes import utcnow
from tests.billing.buying import buy, choose, fill_catalogue, pay
from tests.browsing import sign_in, soup, submit

DAY = 24 * 3600
PAYS_ONCE_CARD = "4000000000000341"


def plan(app: Flask) -> tuple[str, str]:
    """Read everything from Polar, as the nightly job does, and return plan and status."""
    with app.app_context():
        user = db.session.scalars(db.select(User)).one()
        reconcile.pull_user(user)
        found = entitlements.for_user(user)
        return found.plan.key, found.status


def subscription_id(app: Flask) -> str:
    with app.app_context():
        return db.session.scalars(db.select(Subscription.polar_id)).one()


def words(client: FlaskClient) -> str:
    found = soup(client.get("/settings/billing")).select_one('[data-testid="plan-status"]')
    return found.get_text(strip=True) if found else ""


@pytest.fixture
def shop(polar_app: Flask, polar: LocalPolar) -> tuple[FlaskClient, dict[str, str]]:
    ids = fill_catalogue(polar_app)
    return sign_in(polar_app)[0], ids


def go_on(polar: LocalPolar, days: float) -> None:
    polar.advance(days * DAY)
    polar.wait_idle()


def test_pause_and_resume(shop: Any, polar_app: Flask, polar: LocalPolar) -> None:
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    assert submit(client, "/settings/billing/pause", months="0").location == "/settings/billing"
    assert plan(polar_app) == ("pro", "active")
    assert "Pauses on" in words(client)
    assert "Next payment" not in client.get("/settings/billing").text
    go_on(polar, 32)
    assert plan(polar_app) == ("free", "paused")
    assert words(client) == "Pro Monthly is paused. Nothing is charged until you resume."
    assert client.get("/dashboard/reports").status_code == 303
    page = soup(client.get("/pricing"))
    assert page.select_one('[data-testid="resume-pro-monthly"]')
    other = client.get(f"/settings/billing/plan?product_id={ids['Team Monthly']}")
    assert other.location == "/settings/billing/resumption"
    again = submit(client, "/checkout", form_at="/pricing", product_id=ids["Team Monthly"])
    assert again.location.startswith("/settings/billing/plan?")  # Never two at once.
    assert submit(client, "/settings/billing/resumption").location == "/settings/billing"
    polar.wait_idle()
    assert plan(polar_app) == ("pro", "active")
    assert client.get("/dashboard/reports").status_code == 200


def test_cancelling_while_paused_ends_it_at_once(
    shop: Any, polar_app: Flask, polar: LocalPolar
) -> None:
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    submit(client, "/settings/billing/pause", months="0")
    go_on(polar, 32)
    assert plan(polar_app) == ("free", "paused")
    page = client.get("/settings/billing/cancellation").text
    assert "it ends at once" in page
    assert "End it now" in page
    submit(client, "/settings/billing/cancellation", reason="unused")
    assert plan(polar_app) == ("free", "canceled")
    with polar_app.app_context():
        data = gateway.subscription(subscription_id(polar_app)).data
    assert data["customer_cancellation_reason"] == "unused"


def test_what_ran_out_cannot_be_kept_any_more(
    shop: Any, polar_app: Flask, polar: LocalPolar
) -> None:
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    submit(client, "/settings/billing/cancellation", reason="unused")
    assert soup(client.get("/settings/billing")).select_one('[data-testid="keep-plan"]')
    go_on(polar, 32)
    assert plan(polar_app) == ("free", "canceled")
    with polar_app.app_context():
        assert db.session.scalars(db.select(Subscription.cancel_at_period_end)).one() is True
    page = soup(client.get("/settings/billing"))
    assert page.select_one('[data-testid="keep-plan"]') is None
    assert "change your mind" not in page.get_text()


def test_pause_taken_back(shop: Any, polar_app: Flask, polar: LocalPolar) -> None:
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    submit(client, "/settings/billing/pause", months="1")
    with polar_app.app_context():
        data = gateway.subscription(subscription_id(polar_app)).data
    assert data["pause_at_period_end"] is True
    assert data["resumes_at"] is not None
    submit(client, "/settings/billing/keep")
    go_on(polar, 32)
    assert plan(polar_app) == ("pro", "active")


def test_failed_renewal_then_given_up(shop: Any, polar_app: Flask, polar: LocalPolar) -> None:
    client, ids = shop
    chosen = choose(client, ids["Pro Monthly"])
    client.get(pay(polar, chosen.location, card=PAYS_ONCE_CARD))
    assert plan(polar_app) == ("pro", "active")
    go_on(polar, 32)
    assert plan(polar_app) == ("free", "past_due")
    assert soup(client.get("/dashboard")).select_one('[data-testid="owed"]')
    go_on(polar, 25)
    assert plan(polar_app) == ("free", "canceled")
    assert words(client).startswith("Ended on")
    assert soup(client.get("/dashboard")).select_one('[data-testid="owed"]') is None


def test_failed_renewal_then_mended(shop: Any, polar_app: Flask, polar: LocalPolar) -> None:
    client, ids = shop
    chosen = choose(client, ids["Pro Monthly"])
    client.get(pay(polar, chosen.location, card=PAYS_ONCE_CARD))
    go_on(polar, 32)
    assert plan(polar_app) == ("free", "past_due")
    polar.scenario("recover", "ada@example.com")
    assert plan(polar_app) == ("pro", "active")
    assert client.get("/dashboard/reports").status_code == 200
    assert soup(client.get("/dashboard")).select_one('[data-testid="owed"]') is None
    with polar_app.app_context():
        notices.run()
        kinds = list(db.session.scalars(db.select(Notice.kind).order_by(Notice.kind)))
    assert kinds == ["welcome"]  # The failure was over before anybody had told us of it.


def test_plan_change_with_a_card_that_fails(shop: Any, polar_app: Flask, polar: LocalPolar) -> None:
    """Polar's own 402: everything stays as it was and the page says so."""
    client, ids = shop
    chosen = choose(client, ids["Pro Monthly"])
    client.get(pay(polar, chosen.location, card=PAYS_ONCE_CARD))
    url = f"/settings/billing/plan?product_id={ids['Team Monthly']}"
    fields = {
        str(field["name"]): str(field["value"])
        for field in soup(client.get(url)).select("main form input[type=hidden]")
    }
    response = client.post(url, data=fields | {"behavior": "invoice"})
    assert response.status_code == 422
    assert "Your card was declined, so nothing has changed." in response.text
    assert plan(polar_app) == ("pro", "active")


def test_scheduled_change_happens_at_the_end_of_the_period(
    shop: Any, polar_app: Flask, polar: LocalPolar
) -> None:
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    with polar_app.app_context():
        gateway.update_subscription(
            subscription_id(polar_app),
            product_id=ids["Team Monthly"],
            proration_behavior="next_period",
        )
    assert plan(polar_app)[0] == "pro"
    go_on(polar, 32)
    assert plan(polar_app)[0] == "team"


def test_cancelled_trial_ends_without_a_charge(
    shop: Any, polar_app: Flask, polar: LocalPolar
) -> None:
    client, ids = shop
    buy(client, polar, ids["Team Monthly"])
    assert "Your free trial runs until" in client.get("/settings/billing/cancellation").text
    submit(client, "/settings/billing/cancellation")
    assert plan(polar_app) == ("team", "trialing")
    go_on(polar, 15)
    assert plan(polar_app) == ("free", "canceled")
    with polar_app.app_context():
        assert [o.total_amount for o in db.session.scalars(db.select(Order))] == [0]


def test_lost_webhooks_are_found_by_the_hourly_run(
    shop: Any, polar_app: Flask, polar: LocalPolar
) -> None:
    """Nobody came back from the checkout and no webhook arrived: the mail is sent all the same."""
    client, ids = shop
    pay(polar, urlsplit(choose(client, ids["Pro Monthly"]).location).geturl())
    assert plan(polar_app)[0] == "pro"
    with polar_app.app_context():
        assert notices.run() == 1
        assert db.session.scalars(db.select(Notice.kind)).all() == ["welcome"]


def test_refunds_of_a_one_time_purchase(shop: Any, polar_app: Flask, polar: LocalPolar) -> None:
    """A part keeps the plan; the rest, with the benefits revoked, ends it; another grant stays."""
    client, ids = shop
    buy(client, polar, ids["Lifetime"])
    assert plan(polar_app) == ("lifetime", "active")
    refund(polar_app, polar, 9900)
    assert plan(polar_app) == ("lifetime", "active")
    assert "$99 refunded" in client.get("/settings/billing").text
    refund(polar_app, polar, 30000, revoke_benefits=True)
    assert plan(polar_app) == ("free", "free")
    assert client.get("/dashboard/reports").status_code == 303
    buy(client, polar, ids["Pro Monthly"])
    assert plan(polar_app) == ("pro", "active")
    assert client.get("/dashboard/reports").status_code == 200


def refund(app: Flask, polar: LocalPolar, amount: int, **more: Any) -> None:
    with app.app_context():
        order_id = db.session.scalars(db.select(Order.polar_id)).one()
        body = {"order_id": order_id, "reason": "customer_request", "amount": amount, **more}
        gateway.call("POST", "/v1/refunds/", body=body)
    polar.wait_idle()


@pytest.mark.parametrize(("wanted", "days"), [("Team Monthly", 10), ("Pro Yearly", 10)])
def test_what_is_said_is_what_polar_charges(
    shop: Any, polar_app: Flask, polar: LocalPolar, wanted: str, days: int
) -> None:
    """In the middle of a period, to the cent but for the seconds that the test takes."""
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    go_on(polar, days)
    with polar_app.app_context():
        user = db.session.scalars(db.select(User)).one()
        product = db.session.get_one(Product, ids[wanted])
        said = plan_changes.quote(user, product, utcnow() + timedelta(days=days)).options[0]
        gateway.update_subscription(
            subscription_id(polar_app), product_id=ids[wanted], proration_behavior=said.behavior
        )
    polar.wait_idle()
    plan(polar_app)
    with polar_app.app_context():
        newest = db.select(Order).order_by(Order.created_at.desc()).limit(1)
        charged = db.session.scalars(newest).one().total_amount
    assert abs(charged - said.due) <= 1
    assert 1900 < said.due < 20000


def test_change_during_a_trial_happens_at_its_end(
    shop: Any, polar_app: Flask, polar: LocalPolar
) -> None:
    client, ids = shop
    buy(client, polar, ids["Team Monthly"])
    with polar_app.app_context():
        gateway.update_subscription(
            subscription_id(polar_app),
            product_id=ids["Pro Monthly"],
            proration_behavior="next_period",
        )
    assert plan(polar_app) == ("team", "trialing")
    go_on(polar, 15)
    assert plan(polar_app) == ("pro", "active")


def test_features_follow_a_switch_without_any_webhook(polar_app: Flask, polar: LocalPolar) -> None:
    """The customer pays at once, so what they pay for must open at once."""
    from saas.accounts.models import User
    from saas.billing import entitlements, subscriptions

    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    polar.faults(drop_webhooks=True)
    with polar_app.app_context():
        user = db.session.scalars(db.select(User)).one()
        subscription = subscriptions.running(user)
        subscriptions.change(
            subscription.polar_id, product_id=ids["Team Monthly"], proration_behavior="invoice"
        )
        user = db.session.scalars(db.select(User)).one()
        entitled = entitlements.for_user(user)
        assert entitled.plan.key == "team"
        assert entitled.can("api_access")
        assert entitled.limits["projects"] == 100
