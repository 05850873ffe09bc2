"""The confirmation page: it believes Polar, not its address, and grants nothing by itself."""

from typing import Any

import pytest
from flask import Flask

from polar_emulator.testing import LocalPolar
from saas.billing import gateway
from saas.billing.models import Customer
from saas.extensions import db
from tests.billing.buying import NOBODYS, buy, choose, fill_catalogue, pay
from tests.browsing import sign_in, soup


def state(response: Any) -> str:
    found = soup(response).select_one('[data-testid="checkout-state"]')
    assert found is not None, response.text
    return str(found["data-state"])


def checkout_id_of(polar: LocalPolar, url: str) -> str:
    """Ask Polar for the id behind a checkout's address."""
    from polar.v2026_10 import Polar

    secret = url.rpartition("/")[2].partition("?")[0]
    return str(Polar(polar.token, base_url=polar.url).checkouts.client_get(secret).id)


def test_succeeded(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    response = buy(client, polar, ids["Pro Monthly"])
    assert state(response) == "succeeded"
    assert "Pro Monthly" in response.text
    assert "$20" in response.text
    assert "Refresh" not in response.headers


def test_confirmed_refreshes_itself_and_grants_nothing(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    polar.faults(hold_confirmed=True)
    chosen = choose(client, ids["Pro Monthly"])
    checkout_id = checkout_id_of(polar, chosen.location)
    polar.complete_checkout(chosen.location.rpartition("/")[2])
    url = f"/checkout/confirmation?checkout_id={checkout_id}"
    response = client.get(url)
    assert state(response) == "confirmed"
    assert response.headers["Refresh"] == "2"
    assert client.get("/dashboard/reports").status_code == 303
    polar.faults(hold_confirmed=False)
    polar.wait_idle()
    assert state(client.get(url)) == "succeeded"
    assert client.get("/dashboard/reports").status_code == 200


def test_open_checkout_offers_to_go_on(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    chosen = choose(client, ids["Pro Monthly"])
    checkout_id = checkout_id_of(polar, chosen.location)
    response = client.get(f"/checkout/confirmation?checkout_id={checkout_id}")
    assert state(response) == "open"


def test_expired_checkout(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    chosen = choose(client, ids["Pro Monthly"])
    checkout_id = checkout_id_of(polar, chosen.location)
    polar.advance(25 * 3600)
    response = client.get(f"/checkout/confirmation?checkout_id={checkout_id}")
    assert state(response) == "expired"
    assert "Nothing has been charged" in response.text


@pytest.mark.parametrize(
    "checkout_id",
    [None, "", "42", NOBODYS, "../customers", "{CHECKOUT_ID}"],
)
def test_unknown_checkout_is_404(
    polar_app: Flask, polar: LocalPolar, checkout_id: str | None
) -> None:
    client, _ = sign_in(polar_app)
    query = {} if checkout_id is None else {"checkout_id": checkout_id}
    assert client.get("/checkout/confirmation", query_string=query).status_code == 404


def test_somebody_elses_checkout_is_404_and_gives_nothing(
    polar_app: Flask, polar: LocalPolar
) -> None:
    ids = fill_catalogue(polar_app)
    ada, _ = sign_in(polar_app, "ada@example.com")
    back = pay(polar, choose(ada, ids["Pro Monthly"]).location)
    bob, _ = sign_in(polar_app, "bob@example.com")
    assert bob.get(back).status_code == 404
    assert bob.get("/dashboard/reports").status_code == 303
    assert state(ada.get(back)) == "succeeded"


def test_polar_down_says_so_and_works_later(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    back = pay(polar, choose(client, ids["Pro Monthly"]).location)
    polar.faults(api="down")
    response = client.get(back)
    assert response.status_code == 503
    assert "Traceback" not in response.text
    polar.faults(api=None)
    assert state(client.get(back)) == "succeeded"


def test_upgrade_from_free_is_confirmed(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Free"])
    assert state(buy(client, polar, ids["Pro Yearly"])) == "succeeded"


def test_upgrade_waits_for_the_features_that_were_bought(
    polar_app: Flask, polar: LocalPolar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Polar takes those of the free plan, of the same subscription, and gives those in jobs of its own."""
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Free"])
    with polar_app.app_context():
        before = list(
            gateway.customer_grants(db.session.scalars(db.select(Customer.polar_id)).one())
        )
    assert [each.data["is_granted"] for each in before] == [True]
    url = pay(polar, choose(client, ids["Pro Monthly"]).location)
    with monkeypatch.context() as late:
        late.setattr(gateway, "customer_grants", lambda _polar_id: iter(before))
        assert state(client.get(url)) == "confirmed"
        assert client.get("/dashboard/reports").status_code == 303
    assert state(client.get(url)) == "succeeded"
    assert client.get("/dashboard/reports").status_code == 200


def test_polar_away_after_the_payment_tells_nobody_to_pay_again(
    polar_app: Flask, polar: LocalPolar
) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    landed = pay(polar, choose(client, ids["Pro Monthly"]).location)
    polar.faults(api="500")
    page = client.get(landed)
    assert page.status_code == 503
    assert "Do not pay again" in page.text
    assert "Nothing was charged" not in page.text
    again = soup(page).select_one(".stack a")
    assert again is not None
    assert again["href"] == landed
    looked = client.get(f"/api/billing/checkout/{landed.partition('=')[2]}")
    assert looked.status_code == 503
    assert "charged" not in looked.text
    polar.faults(api=None)
    assert state(client.get(str(again["href"]))) == "succeeded"
