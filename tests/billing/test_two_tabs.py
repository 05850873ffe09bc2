"""Two tabs, old links and the back button: nobody ends where Polar says "already subscribed"."""

from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from saas.billing import gateway
from saas.billing.models import Subscription
from saas.extensions import db
from tests.billing.buying import buy, choose, fill_catalogue, pay
from tests.browsing import csrf_token, sign_in, soup

Shop = tuple[FlaskClient, dict[str, str]]


@pytest.fixture
def shop(polar_app: Flask) -> Shop:
    ids = fill_catalogue(polar_app)
    return sign_in(polar_app)[0], ids


def checkouts(polar: LocalPolar) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {polar.token}"}
    answer = httpx.get(f"{polar.url}/v1/checkouts/", headers=headers)
    return list(answer.json()["items"])


def ask_api(client: FlaskClient, product_id: str, **metadata: Any) -> Any:
    token = csrf_token(client, "/settings/billing")
    body = {"product_id": product_id, "metadata": metadata}
    return client.post("/api/billing/checkout", json=body, headers={"X-CSRFToken": token})


def back_at_polar(polar: LocalPolar, url: str, **fields: str) -> str:
    """Press the button of Polar's page, be refused, and take the way back that it offers."""
    page = httpx.post(url, data=fields)
    assert page.status_code == 403
    assert "already have an active subscription" in page.text
    link = soup(page).select_one('[data-testid="checkout-back"]')
    assert link is not None
    parts = urlsplit(str(link["href"]))
    return f"{parts.path}?{parts.query}"


CARD = {
    "email": "ada@example.com", "name": "Ada", "country": "US", "card_number": "4242424242424242",
    "card_expiry": "12 / 34", "card_cvc": "123",
}  # fmt: skip


def test_second_tab_shows_the_same_checkout(polar: LocalPolar, shop: Shop) -> None:
    client, ids = shop
    first, second = (choose(client, ids["Pro Monthly"]).location for _ in range(2))
    assert first == second
    assert len(checkouts(polar)) == 1
    client.get(pay(polar, first))
    assert "already completed" in httpx.get(second).text
    assert "already have" not in httpx.get(second).text


def test_front_end_gets_the_same_checkout_with_its_own_metadata(
    polar: LocalPolar, shop: Shop
) -> None:
    client, ids = shop
    first = choose(client, ids["Pro Monthly"]).location
    answer = ask_api(client, ids["Pro Monthly"], campaign="autumn")
    assert (answer.status_code, answer.json["url"]) == (201, first)
    [found] = checkouts(polar)
    assert found["metadata"]["campaign"] == "autumn"
    assert found["metadata"].keys() == {"campaign", "user_id"}


def test_two_tabs_with_two_plans(polar_app: Flask, polar: LocalPolar, shop: Shop) -> None:
    """Polar cannot close the other tab's checkout, so its way back leads to the change of plan."""
    client, ids = shop
    pro, team = (choose(client, ids[name]).location for name in ("Pro Monthly", "Team Monthly"))
    assert pro != team
    client.get(pay(polar, pro))
    landed = client.get(back_at_polar(polar, team, **CARD))
    assert landed.location == f"/settings/billing/plan?product_id={ids['Team Monthly']}"
    page = client.get(landed.location).text
    assert "Switch to Team Monthly" in page
    assert "You already have Pro Monthly, so no second subscription was started." in page
    with polar_app.app_context():
        assert len(db.session.scalars(db.select(Subscription)).all()) == 1


def test_way_back_when_no_webhook_came(polar: LocalPolar, shop: Shop) -> None:
    """Our copy does not know of the purchase yet; the way back asks Polar."""
    client, ids = shop
    pro, team = (choose(client, ids[name]).location for name in ("Pro Monthly", "Team Monthly"))
    polar.faults(drop_webhooks=True)
    pay(polar, pro)
    assert "/settings/billing/plan" in client.get(back_at_polar(polar, team, **CARD)).location


def test_way_back_to_the_plan_that_one_has(polar: LocalPolar, shop: Shop) -> None:
    client, ids = shop
    buy(client, polar, ids["Pro Monthly"])
    landed = client.get(f"/checkout/returned?product_id={ids['Pro Monthly']}")
    assert landed.location == "/settings/billing"
    assert "nothing was bought a second time" in client.get(landed.location).text


@pytest.mark.parametrize("product", ["Pro Monthly", "Lifetime", "", "42"])
def test_way_back_without_a_purchase_leads_to_the_prices(shop: Shop, product: str) -> None:
    client, ids = shop
    url = f"/checkout/returned?product_id={ids.get(product, product)}"
    assert client.get(url).location == "/pricing"


def test_way_back_signed_out_or_without_polar(
    polar_app: Flask, polar: LocalPolar, shop: Shop
) -> None:
    client, ids = shop
    url = f"/checkout/returned?product_id={ids['Pro Monthly']}"
    assert polar_app.test_client().get(url).location == "/pricing"
    polar.faults(api="500")
    assert client.get(url).location == "/pricing"


def test_choice_while_another_tab_is_being_paid(
    polar: LocalPolar, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the payment and the subscription Polar takes some seconds; the other tab waits with it."""
    client, ids = shop
    chosen = choose(client, ids["Pro Monthly"])
    [found] = checkouts(polar)
    secret = urlsplit(chosen.location).path.rpartition("/")[2]
    going_on = gateway.checkouts_going_on

    def confirmed(customer_id: str) -> Any:
        for answer in going_on(customer_id):
            answer.data["status"] = "confirmed"
            answer.data["modified_at"] = answer.observed_at.isoformat()
            yield answer

    monkeypatch.setattr(gateway, "checkouts_going_on", confirmed)
    landed = choose(client, ids["Team Monthly"])
    assert landed.location == f"/checkout/confirmation?checkout_id={found['id']}"
    answer = ask_api(client, ids["Team Monthly"])
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "payment_under_way")
    assert choose(client, ids["Lifetime"]).location.startswith(polar.url)  # Stands beside it.
    monkeypatch.undo()
    assert polar.complete_checkout(secret).status_code == 200


def test_checkout_of_yesterday_is_not_gone_on_with(polar: LocalPolar, shop: Shop) -> None:
    client, ids = shop
    first = choose(client, ids["Pro Monthly"]).location
    polar.advance(23.5 * 3600)
    polar.wait_idle()
    assert choose(client, ids["Pro Monthly"]).location != first


def test_checkout_at_an_old_price_is_not_gone_on_with(
    polar_app: Flask, polar: LocalPolar, shop: Shop
) -> None:
    client, ids = shop
    first = choose(client, ids["Pro Monthly"]).location
    price = {"amount_type": "fixed", "price_amount": 2500, "price_currency": "usd"}
    headers = {"Authorization": f"Bearer {polar.token}"}
    url = f"{polar.url}/v1/products/{ids['Pro Monthly']}"
    httpx.patch(url, json={"prices": [price]}, headers=headers).raise_for_status()
    assert choose(client, ids["Pro Monthly"]).location != first


def test_checkout_from_before_the_free_plan_is_not_gone_on_with(
    polar: LocalPolar, shop: Shop
) -> None:
    """It would start a second subscription; an upgrade of the free one is needed now."""
    client, ids = shop
    before = choose(client, ids["Pro Monthly"]).location
    buy(client, polar, ids["Free"])
    upgrade = choose(client, ids["Pro Monthly"]).location
    assert upgrade != before
    assert choose(client, ids["Pro Monthly"]).location == upgrade
    assert "all set" in client.get(pay(polar, upgrade)).text
    landed = client.get(back_at_polar(polar, before, **CARD))
    assert landed.location == "/settings/billing"
