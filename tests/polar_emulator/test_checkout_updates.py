"""Checkouts that are changed by merchants and buyers, and links that open checkouts."""

from typing import Any

import pytest

from polar_emulator.catalogue import stable_id
from polar_emulator.store import Doc
from tests.polar_emulator import recorded
from tests.polar_emulator.inside import Inside
from tests.polar_emulator.likeness import shape_differences

PRO, YEARLY = stable_id("product", "Pro Monthly"), stable_id("product", "Pro Yearly")
TEAM = stable_id("product", "Team Monthly")


@pytest.fixture
def here() -> Inside:
    return Inside()


def opened(here: Inside, *products: str, **more: Any) -> Doc:
    body = {"products": list(products or (PRO, YEARLY)), **more}
    made: Doc = here.call("POST", "/v1/checkouts/", body, 201)
    here.events()
    return made


def test_by_the_merchant(here: Inside) -> None:
    checkout = opened(here)
    changes = {
        "product_id": YEARLY,
        "metadata": {"a": "b"},
        "customer_email": "new@example.com",
        "customer_billing_address": {"country": "FR"},
        "success_url": "https://app.example.com/?id={CHECKOUT_ID}",
    }
    changed = here.call("PATCH", f"/v1/checkouts/{checkout['id']}", changes)
    was = recorded.answer("checkout-create-paid-external-id")["answer"]
    assert shape_differences(was, changed) == []
    assert (changed["product_id"], changed["total_amount"]) == (YEARLY, 20000)
    assert changed["tax_amount"] == 3333
    assert (changed["metadata"], changed["customer_email"]) == ({"a": "b"}, "new@example.com")
    assert changed["success_url"].endswith(checkout["id"])
    assert here.events() == ["checkout.updated"]


def test_the_buyer_chooses_the_amount(here: Inside) -> None:
    price = {"amount_type": "custom", "minimum_amount": 500, "maximum_amount": 2000}
    price["preset_amount"] = 1000
    wanted = {"name": "Pay what you want", "recurring_interval": None, "prices": [price]}
    key = here.call("POST", "/v1/products/", wanted, 201)["id"]
    assert opened(here, key)["amount"] == 1000
    checkout = opened(here, key, amount=500)
    path = f"/v1/checkouts/{checkout['id']}"
    assert here.call("PATCH", path, {"metadata": {"a": "b"}})["amount"] == 500
    assert here.call("PATCH", path, {"amount": 2000})["amount"] == 2000
    for amount, message in ((0, "below minimum"), (499, "below minimum"), (2001, "above maximum")):
        body = {"products": [key], "amount": amount}
        for method, where in (("POST", "/v1/checkouts/"), ("PATCH", path)):
            refused = here.call(
                method, where, body if method == "POST" else {"amount": amount}, 422
            )
            assert refused["detail"][0]["loc"] == ["body", "amount"]
            assert refused["detail"][0]["msg"] == f"Amount is {message}."
    assert here.call("GET", path)["amount"] == 2000


def test_trial_by_the_merchant(here: Inside) -> None:
    path = f"/v1/checkouts/{opened(here)['id']}"
    trial = {"trial_interval": "day", "trial_interval_count": 7}
    assert here.call("PATCH", path, trial)["active_trial_interval_count"] == 7
    assert here.call("PATCH", path, {"allow_trial": False})["trial_end"] is None


def test_by_the_buyer(here: Inside) -> None:
    checkout = opened(here)
    path = f"/v1/checkouts/client/{checkout['client_secret']}"
    changed = here.call("PATCH", path, {"product_id": YEARLY, "customer_name": "Jane"})
    was = recorded.answer("checkout-client-get-open")["answer"]
    assert shape_differences(was, changed) == []
    assert (changed["total_amount"], changed["customer_name"]) == (20000, "Jane")
    assert here.events() == ["checkout.updated"]


@pytest.mark.parametrize(
    "body",
    [
        {"product_id": TEAM},
        {"product_id": "x"},
        {"customer_email": "nobody"},
        {"customer_billing_address": {}},
        {"customer_billing_address": {"country": "Europe"}},
        {"customer_billing_address": "FR"},
        {"amount": -1},
        {"amount": "1"},
        {"discount_id": "00000000-0000-4000-8000-000000000000"},
        {"metadata": {"a": None}},
    ],
)
def test_bad_changes(here: Inside, body: Doc) -> None:
    here.call("PATCH", f"/v1/checkouts/{opened(here)['id']}", body, 422)
    assert here.events() == []


def test_closed_checkouts(here: Inside) -> None:
    done = here.buy()
    answer = here.call("PATCH", f"/v1/checkouts/{done['id']}", {"customer_name": "x"}, 403)
    assert answer["error"] == "NotOpenCheckout"
    late = opened(here)
    here.advance(2)
    answer = here.call("PATCH", f"/v1/checkouts/{late['id']}", {"customer_name": "x"}, 403)
    assert answer["error"] == "NotOpenCheckout"
    path = f"/v1/checkouts/client/{late['client_secret']}"
    assert here.call("GET", path, None, 410)["error"] == "ExpiredCheckoutError"
    here.call("GET", f"/v1/checkouts/client/{done['client_secret']}")
    assert here.call("PATCH", path, {"customer_name": "x"}, 410)["error"] == "ExpiredCheckoutError"


def test_links(here: Inside) -> None:
    code = {"name": "L", "code": "LAUNCH", "basis_points": 1000, "duration": "once"}
    here.call("POST", "/v1/discounts/", code, 201)
    body = {
        "payment_processor": "stripe",
        "products": [PRO, YEARLY],
        "label": "Site",
        "metadata": {"from": "link"},
    }
    link = here.call("POST", "/v1/checkout-links/", body, 201)
    assert here.call("GET", f"/v1/checkout-links/{link['id']}") == link
    path = link["url"].removeprefix("http://localhost")
    visit = here.client.get(f"{path}?customer_email=a@example.com&discount_code=launch")
    assert visit.status_code == 307
    (checkout,) = here.call("GET", "/v1/checkouts/")["items"]
    assert visit.headers["location"] == checkout["url"]
    assert (checkout["metadata"], checkout["customer_email"]) == (
        {"from": "link"},
        "a@example.com",
    )
    assert checkout["total_amount"] == 1800
    assert here.client.get(f"{path}?discount_code=nope").status_code == 307
    changed = here.call(
        "PATCH", f"/v1/checkout-links/{link['id']}", {"label": "Mail", "products": [TEAM]}
    )
    assert (changed["label"], len(changed["products"])) == ("Mail", 1)
    assert len(here.call("GET", "/v1/checkout-links/")["items"]) == 1
    here.call("DELETE", f"/v1/checkout-links/{link['id']}", None, 204)
    assert here.client.get(path).status_code == 404
    here.call("GET", f"/v1/checkout-links/{link['id']}", None, 404)


@pytest.mark.parametrize(
    "body", [{"product_id": PRO}, {"product_price_id": stable_id("price", "Pro Monthly")}]
)
def test_links_to_one_product(here: Inside, body: Doc) -> None:
    link = here.call("POST", "/v1/checkout-links/", body, 201)
    assert [product["id"] for product in link["products"]] == [PRO]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"products": []},
        {"products": ["x"]},
        {"products": ["00000000-0000-4000-8000-000000000000"]},
        {"products": [PRO], "success_url": "nowhere"},
        {"products": [PRO], "discount_id": "00000000-0000-4000-8000-000000000000"},
        {"product_id": 3},
        {"product_price_id": 3},
    ],
)
def test_bad_links(here: Inside, body: Doc) -> None:
    here.call("POST", "/v1/checkout-links/", body, 422)


PAYING = {
    "customer_name": "Jane Doe",
    "customer_billing_address": {"country": "US"},
    "confirmation_token_id": "ctoken_pays",
}


def confirm(here: Inside, checkout: Doc, status: int = 200) -> Any:
    """Pay, and settle."""
    path = f"/v1/checkouts/client/{checkout['client_secret']}/confirm"
    answer = here.call("POST", path, PAYING, status)
    here.settle()
    return answer


def test_two_upgrades_of_one_free_subscription_are_both_paid(here: Inside) -> None:
    """Nothing is checked when an upgrade is paid, as at Polar; a shop has to see to it."""
    here.buy("Free", token=None)
    free = here.subscription()["id"]
    upgrades = [opened(here, product, subscription_id=free) for product in (PRO, TEAM)]
    for upgrade in upgrades:
        confirm(here, upgrade)
    assert [order["total_amount"] for order in here.orders()] == [5000, 2000, 0]
    assert here.subscription()["product_id"] == TEAM


def test_price_that_was_replaced_is_not_paid(here: Inside) -> None:
    checkout = opened(here, PRO, customer_email="jane@example.com")
    price = {"amount_type": "fixed", "price_amount": 2500, "price_currency": "usd"}
    here.call("PATCH", f"/v1/products/{PRO}", {"prices": [price]})
    [problem] = confirm(here, checkout, 422)["detail"]
    assert (problem["loc"], problem["msg"]) == (["body", "product_price_id"], "Price is archived.")
    here.call("PATCH", f"/v1/checkouts/{checkout['id']}", {"product_id": PRO})
    assert confirm(here, checkout)["total_amount"] == 2500
