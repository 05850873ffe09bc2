"""Several subscriptions at once, where the organisation in Polar allows them."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import entitlements, gateway
from saas.billing.models import Product, Subscription
from saas.extensions import db
from tests.billing.buying import buy, fill_catalogue, pay
from tests.browsing import sign_in, soup, submit
from tests.polar_setup.test_agreements import change

SETTINGS = "/settings/billing"
MONTH_YEAR = ("month", "year")


@pytest.fixture
def client(polar_app: Flask, polar: LocalPolar) -> FlaskClient:
    """Ada, who subscribed to Pro for a year here, and to Team by a link of Polar."""
    change(polar, allow_multiple_subscriptions=True)
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    buy(client, polar, ids["Pro Yearly"])
    with polar_app.app_context():
        body = {"products": [ids["Team Monthly"]], "external_customer_id": public_id}
        made = gateway.call("POST", "/v1/checkouts/", body=body | {"allow_trial": False}).data
    pay(polar, made["url"])
    client.get("/settings/billing/returned")
    return client


def entitled(app: Flask) -> entitlements.Entitlements:
    with app.app_context():
        return entitlements.for_user(db.session.scalars(db.select(User)).one())


def page(client: FlaskClient, url: str, part: str) -> str:
    found = soup(client.get(url)).select_one(part)
    assert found is not None, part
    return found.get_text(" ", strip=True)


def test_everything_adds_up_and_the_bigger_plan_counts(
    polar_app: Flask, client: FlaskClient
) -> None:
    """A month of Team is dearer than a month of Pro, though the year of Pro costs more."""
    found = entitled(polar_app)
    assert (found.plan.key, found.plan_keys) == ("team", {"team", "pro"})
    assert found.features == {"projects", "reports", "api_access"}
    assert found.limit("projects") == 100
    first, second = (page(client, SETTINGS, part) for part in (".plan-card", ".plan-card ~ .card"))
    assert "Team Monthly" in first
    assert "Price $50 per month" in first
    assert "Pro" not in first
    assert "Pro Yearly" in second
    assert "$200 per year" in second


def test_both_are_present_on_the_pricing_page(client: FlaskClient) -> None:
    monthly, yearly = (page(client, f"/pricing?interval={each}", "main") for each in MONTH_YEAR)
    assert "Choose" not in monthly + yearly
    assert monthly.count("Your plan") == 2  # Team, and Pro, which is paid for the year.
    assert "Switch to Pro" not in monthly + yearly
    assert yearly.count("Your plan") == 2  # Team has no twin, so it is shown there, too.


def test_plan_that_one_has_beside_is_not_switched_to(
    polar_app: Flask, polar: LocalPolar, client: FlaskClient
) -> None:
    """Two subscriptions for the same would be paid twice; an old link says so, too."""
    pro = fill_catalogue(polar_app)["Pro Monthly"]
    assert client.get(f"/settings/billing/plan?product_id={pro}").location == SETTINGS
    assert "You have Pro Monthly already, in this or another interval." in page(
        client, SETTINGS, "body"
    )
    calls = [call["path"] for call in polar.requests() if call["method"] == "PATCH"]
    assert not [path for path in calls if "/subscriptions/" in path]


@pytest.mark.parametrize(("number", "left"), [(0, "Pro Yearly"), (1, "Team Monthly")])
def test_each_is_cancelled_by_itself(
    polar_app: Flask, client: FlaskClient, number: int, left: str
) -> None:
    links = soup(client.get(SETTINGS)).select("main a[href*='/cancellation?']")
    assert len(links) == 2
    url = str(links[number]["href"])
    assert submit(client, url, reason="unused").status_code == 303
    with polar_app.app_context():
        going_on = db.select(Subscription.product_id).where(~Subscription.cancel_at_period_end)
        name = db.select(Product.name).where(Product.polar_id.in_(going_on))
        assert db.session.scalars(name).all() == [left]
    assert entitled(polar_app).plan_keys == {"team", "pro"}  # Until the period ends.
    assert len(soup(client.get(SETTINGS)).select("main a[href*='/keep?']")) == 1


def test_when_one_ends_the_other_stays(
    polar_app: Flask, polar: LocalPolar, client: FlaskClient
) -> None:
    submit(client, str(soup(client.get(SETTINGS)).select("a[href*='/cancellation?']")[0]["href"]))
    polar.advance(days=32)
    client.get("/settings/billing/returned")
    found = entitled(polar_app)
    assert (found.plan.key, found.features) == ("pro", {"projects", "reports"})
    assert found.limit("projects") == 25
