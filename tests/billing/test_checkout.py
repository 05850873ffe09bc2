"""From the pricing page to Polar's checkout: who goes where, and what happens when Polar does not play."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from saas.billing import entitlements
from saas.billing.models import Customer, Subscription
from saas.extensions import db
from tests.billing.buying import NOBODYS, buy, choose, fill_catalogue, pay
from tests.browsing import csrf_token, sign_in, soup, submit


def created_checkouts(polar: LocalPolar) -> int:
    return sum(
        1
        for call in polar.requests()
        if (call["method"], call["path"], call["status"]) == ("POST", "/v1/checkouts/", 201)
    )


def test_choice_leads_to_polars_checkout(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    response = choose(client, ids["Pro Monthly"])
    assert response.status_code == 303
    assert response.location.startswith(f"{polar.url}/checkout/polar_c_")


def test_customer_carries_our_id_before_the_checkout_exists(
    polar_app: Flask, polar: LocalPolar
) -> None:
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    choose(client, ids["Pro Monthly"])
    calls = [(call["method"], call["path"], call["status"]) for call in polar.requests()]
    assert calls.index(("POST", "/v1/customers/", 201)) < calls.index(
        ("POST", "/v1/checkouts/", 201)
    )
    with polar_app.app_context():
        customer = db.session.scalars(db.select(Customer)).one()
        assert customer.external_id == public_id
        assert customer.user_id is not None


def test_second_visit_reuses_the_customer(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    choose(client, ids["Pro Monthly"])
    choose(client, ids["Pro Monthly"])
    made = [
        call
        for call in polar.requests()
        if (call["method"], call["path"]) == ("POST", "/v1/customers/")
    ]
    assert len(made) == 1
    assert created_checkouts(polar) == 1  # And the open checkout, too.


@pytest.mark.parametrize("by", ["link", "form"])
def test_visitor_keeps_the_choice_through_sign_in(
    polar_app: Flask, polar: LocalPolar, by: str
) -> None:
    ids = fill_catalogue(polar_app)
    sign_in(polar_app)  # makes the account
    visitor = polar_app.test_client()
    if by == "form":
        response = choose(visitor, ids["Team Monthly"])
        assert response.status_code == 303
        way = response.location
    else:
        way = soup(visitor.get("/pricing")).select_one('[data-testid="choose-team-monthly"]')[
            "href"
        ]
    parts = urlsplit(way)
    assert parts.path == "/signup"
    target = parse_qs(parts.query)["next"][0]
    response = submit(
        visitor,
        f"/login?{parts.query}",
        email="ada@example.com",
        password="a long enough password",
        next=target,
    )
    assert urlsplit(response.location).path == "/checkout"
    response = visitor.get(response.location)
    assert response.status_code == 303
    assert response.location.startswith(f"{polar.url}/checkout/")


def test_link_alone_starts_no_checkout(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    response = client.get(f"/checkout?product_id={ids['Pro Monthly']}")
    assert response.status_code == 200
    assert soup(response).select_one('form[action="/checkout"]') is not None
    assert created_checkouts(polar) == 0


@pytest.mark.parametrize(
    ("product_id", "status"),
    [(NOBODYS, 404), ("", 422), ("42", 422), ("'; DROP TABLE users", 422)],
)
@pytest.mark.parametrize("signed_in", [True, False])
def test_unknown_and_malformed_products(
    polar_app: Flask, polar: LocalPolar, product_id: str, status: int, signed_in: bool
) -> None:
    fill_catalogue(polar_app)
    client = sign_in(polar_app)[0] if signed_in else polar_app.test_client()
    response = choose(client, product_id)
    assert response.status_code == status
    assert "pricing" in response.text
    assert created_checkouts(polar) == 0


def test_missing_product_is_malformed(polar_app: Flask) -> None:
    client, _ = sign_in(polar_app)
    response = client.post(
        "/checkout", data={"csrf_token": csrf_token(client, "/settings/billing")}
    )
    assert response.status_code == 422


def test_product_archived_at_polar_a_moment_ago(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    archive(polar, ids["Pro Monthly"])
    response = choose(client, ids["Pro Monthly"])
    assert response.status_code == 404
    assert "not for sale" in response.text


def archive(polar: LocalPolar, product_id: str) -> None:
    from polar.v2026_10 import Polar

    Polar(polar.token, base_url=polar.url).products.update(product_id, is_archived=True)


def test_csrf_token_is_required(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    assert client.post("/checkout", data={"product_id": ids["Pro Monthly"]}).status_code == 400
    assert created_checkouts(polar) == 0


FAULTS = {
    "down": 503,
    "slow": 503,
    "500": 503,
    "429": 503,
    "401": 502,
    "422": 502,
    "html": 502,
}


@pytest.mark.parametrize(("fault", "status"), FAULTS.items(), ids=FAULTS.keys())
def test_trouble_at_polar_gets_a_page_that_says_what_to_do(
    make_app: Any,
    polar_app: Flask,
    polar: LocalPolar,
    caplog: pytest.LogCaptureFixture,
    fault: str,
    status: int,
) -> None:
    ids = fill_catalogue(polar_app)
    app = make_app(polar_api_url=polar.url, polar_timeout_seconds=0.5)
    client, _ = sign_in(app)
    polar.faults(api=fault, slow_seconds=1.5)
    response = choose(client, ids["Pro Monthly"])
    assert response.status_code == status
    assert "othing was charged" in response.text
    assert "try again" in response.text.lower()
    assert "Traceback" not in response.text
    assert any(record.message.startswith("polar: ") for record in caplog.records)
    if status == 503:
        assert int(response.headers["Retry-After"]) > 0
    polar.faults(api=None)
    with app.app_context():
        assert db.session.scalars(db.select(Subscription)).all() == []
    assert choose(client, ids["Pro Monthly"]).status_code == 303


def test_json_client_gets_the_reason_as_json(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    token = csrf_token(client, "/settings/billing")
    polar.faults(api="500")
    response = client.post(
        "/checkout",
        data={"product_id": ids["Pro Monthly"], "csrf_token": token},
        headers={"Accept": "application/json"},
    )
    assert response.status_code == 503
    assert response.get_json()["error"]["code"] == "polar_unavailable"


def test_subscriber_is_sent_to_the_change_of_plan_not_into_a_dead_end(
    polar_app: Flask, polar: LocalPolar
) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    before = created_checkouts(polar)
    response = choose(client, ids["Team Monthly"])
    assert response.status_code == 303
    assert response.location == f"/settings/billing/plan?product_id={ids['Team Monthly']}"
    assert "Switch to Team Monthly" in client.get(response.location).text
    assert created_checkouts(polar) == before


def test_free_subscription_is_upgraded_in_place(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    assert "all set" in buy(client, polar, ids["Free"]).text
    assert "all set" in buy(client, polar, ids["Pro Monthly"]).text
    with polar_app.app_context():
        subscription = db.session.scalars(db.select(Subscription)).one()
        assert subscription.product_id == ids["Pro Monthly"]
        assert subscription.status == "active"


def test_one_time_purchase_beside_a_subscription(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    assert "all set" in buy(client, polar, ids["Lifetime"]).text
    with polar_app.app_context():
        user = db.session.scalars(db.select(Customer)).one()
        assert user.user_id is not None
    page = client.get("/settings/billing").text
    assert "Lifetime" in page
    assert "$399" in page
    assert client.get("/dashboard/reports").status_code == 200


def test_declined_card_leaves_everything_as_it_was(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    chosen = choose(client, ids["Pro Monthly"])
    secret = urlsplit(chosen.location).path.rpartition("/")[2]
    assert polar.complete_checkout(secret, card="4000000000000002").status_code >= 400
    polar.wait_idle()
    assert client.get("/dashboard/reports").status_code == 303
    assert "all set" in client.get(pay(polar, chosen.location)).text
    assert client.get("/dashboard/reports").status_code == 200


def test_current_plan_is_marked(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    free = soup(client.get("/pricing")).select_one('[data-testid="plan-free"]')
    assert free is not None
    assert "Your plan" in free.get_text()
    buy(client, polar, ids["Pro Monthly"])
    page = soup(client.get("/pricing"))
    marked = [tag["data-testid"] for tag in page.select("article") if "Your plan" in tag.get_text()]
    assert marked == ["plan-pro-monthly"]


def test_signed_out_is_asked_to_sign_in(client: FlaskClient) -> None:
    for url in ("/checkout", "/checkout/confirmation?checkout_id=1", "/settings/billing"):
        response = client.get(url)
        assert response.status_code == 303
        assert response.location.startswith("/login?next=")


def test_entitlements_follow_without_any_webhook(polar_app: Flask, polar: LocalPolar) -> None:
    from saas.accounts.models import User

    ids = fill_catalogue(polar_app)
    polar.faults(drop_webhooks=True)
    client, public_id = sign_in(polar_app)
    buy(client, polar, ids["Team Monthly"])
    with polar_app.app_context():
        user = db.session.scalars(db.select(User).where(User.public_id == public_id)).one()
        entitled = entitlements.for_user(user)
    assert (entitled.plan.key, entitled.status) == ("team", "trialing")
    assert entitled.can("api_access")
    assert entitled.limits["projects"] == 100


def test_what_lasts_for_ever_is_sold_once(polar_app: Flask, polar: LocalPolar) -> None:
    """The button is gone from the page, but another tab may still have it."""
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Lifetime"])
    before = created_checkouts(polar)
    response = choose(client, ids["Lifetime"])
    assert (response.status_code, response.location) == (303, "/settings/billing")
    assert "yours for good" in client.get("/settings/billing").text
    assert created_checkouts(polar) == before


def test_address_that_polar_does_not_take(polar_app: Flask) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app, email="ada@shop.test")
    response = choose(client, ids["Pro Monthly"])
    assert response.status_code == 422
    assert "does not accept your e-mail address" in response.text
    token = csrf_token(client, "/settings/billing")
    body = {"product_id": ids["Pro Monthly"]}
    answer = client.post("/api/billing/checkout", json=body, headers={"X-CSRFToken": token})
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "address_refused")
