"""Another plan: what it costs is said before, done by POST, and a declined card changes nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import gateway, plan_changes
from saas.billing.gateway import Answer, PaymentDeclined
from saas.billing.models import Order, Product, Subscription
from saas.extensions import db
from tests.billing.buying import buy, fill_catalogue
from tests.browsing import csrf_token, sign_in, soup, submit


@pytest.fixture
def shop(polar_app: Flask, polar: LocalPolar) -> tuple[FlaskClient, dict[str, str]]:
    """Somebody on Pro Monthly, and the ids of the products."""
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    return client, ids


def page_of(product_id: str) -> str:
    return f"/settings/billing/plan?product_id={product_id}"


def confirm(client: FlaskClient, product_id: str, behavior: str, **changes: str) -> Any:
    """Press the button of the page that says what it costs."""
    url = page_of(product_id)
    found = soup(client.get(url)).select_one('input[name="fingerprint"]')
    assert found is not None
    fields = {"behavior": behavior, "fingerprint": str(found["value"])} | changes
    return client.post(url, data=fields | {"csrf_token": csrf_token(client, url)})


def words(response: Any) -> str:
    return " ".join(soup(response).get_text(" ").split())


def offered(client: FlaskClient, product_id: str) -> list[str]:
    page = soup(client.get(page_of(product_id)))
    return [str(tag["value"]) for tag in page.select('input[name="behavior"]')]


def stored(app: Flask) -> tuple[str, str | None]:
    with app.app_context():
        found = db.session.scalars(db.select(Subscription)).one()
        return found.product_id, (found.pending_update or {}).get("product_id")


def updates(polar: LocalPolar) -> int:
    return sum(call["method"] == "PATCH" for call in polar.requests())


def test_upgrade_says_what_is_charged_now(shop: Any, polar_app: Flask, polar: LocalPolar) -> None:
    client, ids = shop
    page = words(client.get(page_of(ids["Team Monthly"])))
    assert "Pro Monthly, $20 per month" in page
    assert "Team Monthly, $50 per month" in page
    assert "You pay about $30 now" in page or "You pay about $29.99 now" in page
    assert offered(client, ids["Team Monthly"]) == ["invoice", "prorate", "next_period"]
    assert updates(polar) == 0
    response = confirm(client, ids["Team Monthly"], "invoice")
    assert response.location == "/settings/billing"
    assert "Your plan is changed." in client.get("/settings/billing").text
    assert stored(polar_app) == (ids["Team Monthly"], None)
    polar.wait_idle()
    client.get("/settings/billing/returned")
    assert "$29.99" in words(client.get("/settings/billing")) or "$30" in words(
        client.get("/settings/billing")
    )


def test_later_change_is_scheduled_shown_and_undone(
    shop: Any, polar_app: Flask, polar: LocalPolar
) -> None:
    client, ids = shop
    confirm(client, ids["Team Monthly"], "next_period")
    assert stored(polar_app) == (ids["Pro Monthly"], ids["Team Monthly"])
    page = client.get("/settings/billing").text
    assert "Pro Monthly changes to Team Monthly on " in page
    assert "Active. Changes on " in page
    card = soup(client.get("/pricing")).select_one('[data-testid="plan-team-monthly"]')
    assert card is not None
    assert "From " in card.get_text()
    assert soup(client.get("/pricing")).select_one('[data-testid="keep-pro-monthly"]')
    assert client.get(page_of(ids["Pro Yearly"])).location == "/settings/billing/keep"
    keeping = client.get("/settings/billing/keep")
    assert "This is undone." in keeping.text
    assert submit(client, "/settings/billing/keep").location == "/settings/billing"
    polar.wait_idle()
    assert updates(polar) == 2
    assert "You keep Pro Monthly." in client.get("/settings/billing").text


def test_month_to_year_is_charged_at_once(shop: Any, polar_app: Flask) -> None:
    client, ids = shop
    page = words(client.get(page_of(ids["Pro Yearly"])))
    assert "You pay about $180 now: $200 for a new period that begins today" in page
    assert "less about $20 for the rest" in page
    assert offered(client, ids["Pro Yearly"]) == ["invoice", "next_period"]
    confirm(client, ids["Pro Yearly"], "invoice")
    assert stored(polar_app)[0] == ids["Pro Yearly"]
    # Back to the month: the rest of the year is worth more than a month, so it runs out first.
    assert offered(client, ids["Pro Monthly"]) == ["next_period"]


def test_downgrade_waits_unless_asked_otherwise(shop: Any, polar: LocalPolar) -> None:
    client, ids = shop
    confirm(client, ids["Team Monthly"], "invoice")
    assert offered(client, ids["Pro Monthly"]) == ["next_period", "prorate"]
    page = words(client.get(page_of(ids["Pro Monthly"])))
    assert "less than the new price: nothing is charged then" in page
    assert "about $10 are left over as your credit" in page.replace("$9.99", "$10")


def test_credit_that_is_left_over_pays_the_next_invoices(
    shop: Any, polar_app: Flask, polar: LocalPolar
) -> None:
    """What the page promises, as the local Polar does it: nothing at the renewal, less at the next."""
    client, ids = shop
    confirm(client, ids["Team Monthly"], "invoice")
    confirm(client, ids["Pro Monthly"], "prorate")
    for _ in range(2):
        polar.advance(32 * 86_400)
        polar.wait_idle()
    client.get("/settings/billing/returned")
    with polar_app.app_context():
        renewals = db.select(Order).where(Order.billing_reason == "subscription_cycle")
        found = db.session.scalars(renewals.order_by(Order.created_at)).all()
        assert found[0].total_amount <= 0
        assert [order.status for order in found] == ["paid"] * len(found)


def test_one_time_purchase_is_bought_beside_the_plan(shop: Any) -> None:
    client, ids = shop
    landed = client.get(page_of(ids["Lifetime"]))
    assert landed.location == f"/checkout?product_id={ids['Lifetime']}"
    page = client.get(landed.location)
    assert "Buy once" in page.text
    assert "One step left" in page.text


def test_link_to_a_plan_that_one_has(shop: Any) -> None:
    client, ids = shop
    page = client.get(f"/checkout?product_id={ids['Pro Monthly']}").text
    assert "You have this already." in page
    assert "One step left" not in page


def test_trial_goes_on(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Team Monthly"])
    assert offered(client, ids["Pro Monthly"]) == ["next_period"]
    assert "Your free trial goes on until" in client.get(page_of(ids["Pro Monthly"])).text


def test_declined_card_leaves_everything_as_it_was(
    shop: Any, polar_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, ids = shop

    def declined(_polar_id: str, **_changes: object) -> Answer:
        raise PaymentDeclined("402")

    monkeypatch.setattr(gateway, "update_subscription", declined)
    response = confirm(client, ids["Team Monthly"], "invoice")
    assert response.status_code == 422
    assert "Your card was declined, so nothing has changed." in response.text
    assert stored(polar_app) == (ids["Pro Monthly"], None)
    assert client.get("/dashboard/reports").status_code == 200


def test_page_that_is_out_of_date_changes_nothing(shop: Any, polar: LocalPolar) -> None:
    client, ids = shop
    response = confirm(client, ids["Team Monthly"], "invoice", fingerprint="of yesterday")
    assert response.location == page_of(ids["Team Monthly"])
    assert "changed in the meantime" in client.get(response.location).text
    assert updates(polar) == 0


def change_at_polar(polar: LocalPolar, product_id: str, **changes: Any) -> None:
    """Change a product in Polar's dashboard; no event about it arrives here."""
    headers = {"Authorization": f"Bearer {polar.token}"}
    url = f"{polar.url}/v1/products/{product_id}"
    httpx.patch(url, json=changes, headers=headers).raise_for_status()
    polar.advance(2)  # Answers are dated in whole seconds.


def test_price_that_changed_at_polar_is_not_charged_unseen(
    shop: Any, polar_app: Flask, polar: LocalPolar
) -> None:
    """Between page and click, and nobody told us: what is charged is what the page says."""
    client, ids = shop
    url = page_of(ids["Team Monthly"])
    found = soup(client.get(url)).select_one('input[name="fingerprint"]')
    assert found is not None
    price = {"amount_type": "fixed", "price_amount": 9000, "price_currency": "usd"}
    change_at_polar(polar, ids["Team Monthly"], prices=[price])
    polar.forget_requests()
    fields = {"behavior": "invoice", "fingerprint": str(found["value"])}
    response = client.post(url, data=fields | {"csrf_token": csrf_token(client, "/settings")})
    assert response.location == url
    assert updates(polar) == 0
    page = words(client.get(url))
    assert "changed in the meantime" in page
    assert "Team Monthly, $90 per month" in page
    assert stored(polar_app) == (ids["Pro Monthly"], None)


def test_plan_that_is_not_sold_any_more_is_no_way_to_go(shop: Any, polar: LocalPolar) -> None:
    client, ids = shop
    change_at_polar(polar, ids["Team Monthly"], is_archived=True)
    page = client.get(page_of(ids["Team Monthly"]))
    assert page.status_code == 404
    assert "This product is not for sale." in words(page)


@pytest.mark.parametrize("behavior", ["", "reset", "free_of_charge"])
def test_only_what_was_offered(shop: Any, polar: LocalPolar, behavior: str) -> None:
    client, ids = shop
    assert confirm(client, ids["Team Monthly"], behavior).status_code == 422
    assert updates(polar) == 0


def test_ways_that_lead_elsewhere(shop: Any, polar_app: Flask) -> None:
    client, ids = shop
    assert client.get(page_of(ids["Pro Monthly"])).location == "/settings/billing"
    assert client.get(page_of(ids["Free"])).location == "/settings/billing/cancellation"
    bought_once = f"/checkout?product_id={ids['Lifetime']}"
    assert client.get(page_of(ids["Lifetime"])).location == bought_once
    other, _ = sign_in(polar_app, "bob@example.com")
    target = other.get(page_of(ids["Pro Monthly"])).location
    assert target == f"/checkout?product_id={ids['Pro Monthly']}"
    assert polar_app.test_client().get(page_of(ids["Pro Monthly"])).status_code == 303


def test_free_subscription_goes_through_the_checkout(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Free"])
    card = soup(client.get("/pricing")).select_one('[data-testid="plan-pro-monthly"]')
    assert card is not None
    assert "Upgrade to Pro Monthly" in card.get_text()
    assert client.get(page_of(ids["Pro Monthly"])).location.startswith("/checkout?product_id=")


def test_polar_down_changes_nothing(shop: Any, polar: LocalPolar) -> None:
    client, ids = shop
    polar.faults(api="down")
    assert client.get(page_of(ids["Team Monthly"])).status_code == 503


START = datetime(2028, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "hours", "expected"),
    [(0, 0, 3000), (14, 12, 1500), (28, 0, 103), (29, 0, 0), (40, 0, 0)],
)
def test_proration_is_by_the_second_of_the_real_period(
    app: Flask, monkeypatch: pytest.MonkeyPatch, days: int, hours: int, expected: int
) -> None:
    """February 2028 has 29 days; one of them left is 1/29 of the difference."""
    from tests.billing.catalogue_data import product, put
    from tests.billing.holding_data import put_subscription
    from tests.people import make_user

    with app.app_context():
        monkeypatch.setattr("saas.billing.subscriptions.refresh", lambda _id: None)
        monkeypatch.setattr("saas.billing.catalogue.refresh", lambda _id: None)
        user = make_user("ada")
        period = {
            "current_period_start": START.isoformat(),
            "current_period_end": (START + timedelta(days=29)).isoformat(),
        }
        put_subscription(user, "Pro", **period)
        team = product("Dearer", 5000)
        put(team)
        found = plan_changes.quote(
            db.session.get_one(User, user.id),
            db.session.get_one(Product, team["id"]),
            START + timedelta(days=days, hours=hours),
        )
    assert found.options[0].due == expected


def test_answer_that_never_came_is_told_as_unknown(
    shop: tuple[FlaskClient, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change may have been made, and charged, before the connection broke."""
    client, ids = shop
    real = gateway.update_subscription

    def broken(*args: Any, **changes: Any) -> Answer:
        real(*args, **changes)
        raise gateway.PolarUnavailable("broke off", may_be_done=True)

    monkeypatch.setattr(gateway, "update_subscription", broken)
    page = confirm(client, ids["Team Monthly"], "invoice")
    assert page.status_code == 503
    assert "We cannot tell yet whether your change was made." in words(page)
    assert "Nothing was charged" not in words(page)


def test_polar_away_before_the_change_is_told_as_untouched(
    polar: LocalPolar, shop: tuple[FlaskClient, dict[str, str]]
) -> None:
    client, ids = shop
    polar.faults(api="500")
    page = client.get(page_of(ids["Team Monthly"]))
    assert page.status_code == 503
    assert "Nothing was charged, and your plan has not changed." in words(page)
