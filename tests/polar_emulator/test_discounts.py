"""Discounts: making them, using them in checkouts, what renewals cost with them."""

from datetime import timedelta
from typing import Any

import pytest

from polar_emulator.clock import stamp
from polar_emulator.store import Doc
from tests.polar_emulator.inside import Inside

NOT_THERE = "Discount does not exist."


@pytest.fixture
def here() -> Inside:
    return Inside()


def discount(here: Inside, **fields: Any) -> Doc:
    body = {"name": "Launch", "type": "percentage", "basis_points": 2500, "duration": "once"}
    made: Doc = here.call("POST", "/v1/discounts/", {**body, **fields}, 201)
    return made


def fixed(here: Inside, **fields: Any) -> Doc:
    amounts = {"type": "fixed", "amount": 500, "currency": "usd", "duration": "forever"}
    made: Doc = here.call("POST", "/v1/discounts/", {"name": "Five", **amounts, **fields}, 201)
    return made


def totals(here: Inside, months: int) -> list[int]:
    """What the orders of a buyer cost, the first one first."""
    for _ in range(months):
        here.advance(31)
    return [order["total_amount"] for order in reversed(here.orders())]


def test_percentage_once(here: Inside) -> None:
    key = discount(here)["id"]
    checkout = here.buy(discount_id=key)
    assert (checkout["discount_amount"], checkout["total_amount"]) == (500, 1500)
    assert checkout["discount"]["basis_points"] == 2500
    order, subscription = here.orders()[0], here.subscription()
    assert (order["subtotal_amount"], order["discount_amount"]) == (2000, 500)
    assert (order["net_amount"], order["total_amount"]) == (1500, 1500)
    assert order["discount"]["id"] == order["discount_id"] == key
    assert (subscription["amount"], subscription["discount"]["id"]) == (1500, key)
    assert here.call("GET", f"/v1/discounts/{key}")["redemptions_count"] == 1
    assert totals(here, 2) == [1500, 2000, 2000]
    assert (here.subscription()["amount"], here.subscription()["discount"]) == (2000, None)


def test_some_months(here: Inside) -> None:
    key = discount(here, duration="repeating", duration_in_months=3)["id"]
    here.buy(discount_id=key)
    assert totals(here, 4) == [1500, 1500, 1500, 2000, 2000]


def test_for_ever_and_fixed(here: Inside) -> None:
    here.buy(discount_id=fixed(here)["id"])
    assert totals(here, 3) == [1500] * 4


def test_once_after_a_trial(here: Inside) -> None:
    here.buy("Team Monthly", discount_id=discount(here)["id"])
    assert totals(here, 2)[:3] == [0, 3750, 5000]


def test_never_below_nothing(here: Inside) -> None:
    here.buy(discount_id=fixed(here, amount=9999)["id"])
    assert totals(here, 1) == [0, 0]


def test_all_of_it_for_ever_needs_no_card(here: Inside) -> None:
    key = discount(here, basis_points=10000, duration="forever")["id"]
    checkout = here.buy(discount_id=key)
    assert checkout["is_payment_form_required"] is False
    assert checkout["is_free_product_price"] is False
    assert here.customer()["card"] is None
    assert totals(here, 1) == [0, 0]
    once = discount(here, basis_points=10000)["id"]
    body = {"products": [checkout["product_id"]], "discount_id": once}
    opened = here.call("POST", "/v1/checkouts/", body, 201)
    assert opened["is_payment_required"] is False
    assert opened["is_payment_form_required"] is True


def test_tax_is_on_what_is_left(here: Inside) -> None:
    here.buy(discount_id=fixed(here)["id"], country="FR")
    order = here.orders()[0]
    names = ("net_amount", "tax_amount", "total_amount")
    assert [order[name] for name in names] == [1250, 250, 1500]


def test_a_change_of_plan_keeps_it(here: Inside) -> None:
    here.buy(discount_id=fixed(here)["id"])
    team = here.call("GET", "/v1/products/?query=Team")["items"][0]["id"]
    here.change({"product_id": team, "proration_behavior": "invoice"})
    assert here.orders()[0]["total_amount"] == 4500 - 1500
    assert totals(here, 1)[-1] == 4500


def test_given_to_and_taken_from_a_subscription(here: Inside) -> None:
    here.buy()
    key = discount(here)["id"]
    assert here.change({"discount_id": key})["discount"]["id"] == key
    assert totals(here, 2) == [2000, 1500, 2000]
    here.change({"discount_id": fixed(here)["id"]})
    assert here.change({"discount_id": None})["amount"] == 2000
    here.change({"discount_id": here.subscription()["id"]}, 422)


def refused(here: Inside, key: str, product: str = "Pro Monthly") -> bool:
    products = {item["name"]: item["id"] for item in here.call("GET", "/v1/products/")["items"]}
    body = {"products": [products[product]], "discount_id": key}
    answer = here.call("POST", "/v1/checkouts/", body, 422)
    assert answer["detail"][0]["loc"] == ["body", "discount_id"]
    return bool(answer["detail"][0]["msg"] == NOT_THERE)


def test_who_may_not_use_it(here: Inside) -> None:
    now = here.world.now()
    past, later = stamp(now - timedelta(days=1)), stamp(now + timedelta(days=1))
    lifetime = here.call("GET", "/v1/products/?query=Lifetime")["items"][0]["id"]
    assert refused(here, discount(here, starts_at=later)["id"])
    assert refused(here, discount(here, ends_at=past)["id"])
    assert refused(here, discount(here, products=[lifetime])["id"])
    gone = discount(here, code="GONE1")
    here.call("DELETE", f"/v1/discounts/{gone['id']}", None, 204)
    here.call("GET", f"/v1/discounts/{gone['id']}", None, 404)
    assert refused(here, gone["id"])
    limited = discount(here, max_redemptions=1)["id"]
    here.buy(discount_id=limited)
    assert refused(here, limited)
    assert discount(here, code="GONE1")["code"] == "GONE1"


def test_used_up_meanwhile(here: Inside) -> None:
    key = discount(here, max_redemptions=1)["id"]
    product = here.call("GET", "/v1/products/?query=Pro Monthly")["items"][0]["id"]
    waiting = here.call("POST", "/v1/checkouts/", {"products": [product], "discount_id": key}, 201)
    here.buy(discount_id=key)
    path = f"/v1/checkouts/client/{waiting['client_secret']}/confirm"
    answer = here.call("POST", path, {"customer_email": "b@example.com"}, 403)
    assert answer["error"] == "DiscountRedemptionLimitReached"


def test_once_per_customer(here: Inside) -> None:
    key = discount(here, max_redemptions_per_customer=1)["id"]
    here.buy("Lifetime", discount_id=key)
    body = {
        "products": here.call("GET", "/v1/products/?query=Lifetime")["items"][0]["id"].split(),
        "external_customer_id": "user_1",
        "discount_id": key,
    }
    again = here.call("POST", "/v1/checkouts/", body, 201)
    path = f"/v1/checkouts/client/{again['client_secret']}/confirm"
    here.call("POST", path, {}, 403)
    here.buy("Lifetime", user="user_2", discount_id=key)


def test_codes(here: Inside) -> None:
    code = discount(here, code="LAUNCH25")
    product = here.call("GET", "/v1/products/?query=Pro Monthly")["items"][0]["id"]
    checkout = here.call("POST", "/v1/checkouts/", {"products": [product]}, 201)
    path = f"/v1/checkouts/client/{checkout['client_secret']}"
    here.events()
    priced = here.call("PATCH", path, {"discount_code": "launch25"})
    assert (priced["total_amount"], priced["discount"]["id"]) == (1500, code["id"])
    assert here.call("PATCH", path, {"discount_code": None})["total_amount"] == 2000
    answer = here.call("PATCH", path, {"discount_code": "NOPE"}, 422)
    assert answer["detail"][0]["loc"] == ["body", "discount_code"]
    assert here.events() == ["checkout.updated", "checkout.updated"]
    paying = {
        "discount_code": "LAUNCH25",
        "customer_email": "a@example.com",
        "customer_name": "A",
        "customer_billing_address": {"country": "US"},
        "confirmation_token_id": "ctoken_pays",
    }
    here.call("POST", f"{path}/confirm", {**paying, "discount_code": "NOPE"}, 422)
    assert here.call("POST", f"{path}/confirm", paying)["total_amount"] == 1500
    here.call("PATCH", path, {"discount_code": None}, 403)
    closed = here.call(
        "POST", "/v1/checkouts/", {"products": [product], "allow_discount_codes": False}, 201
    )
    path = f"/v1/checkouts/client/{closed['client_secret']}"
    here.call("PATCH", path, {"discount_code": "LAUNCH25"}, 422)


def test_changes_and_lists(here: Inside) -> None:
    made = discount(here, code="LAUNCH25", metadata={"a": 1})
    other = fixed(here, products=[here.call("GET", "/v1/products/")["items"][0]["id"]])
    assert len(other["products"]) == 1
    assert other["amounts"] == {"usd": 500}
    changed = here.call("PATCH", f"/v1/discounts/{made['id']}", {"name": "New", "code": None})
    assert (changed["name"], changed["code"], changed["basis_points"]) == ("New", None, 2500)
    listed = here.call("GET", "/v1/discounts/?query=fiv")["items"]
    assert [found["id"] for found in listed] == [other["id"]]
    here.call("DELETE", f"/v1/discounts/{made['id']}", None, 204)
    assert here.events() == [
        "discount.created",
        "discount.created",
        "discount.updated",
        "discount.deleted",
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"name": "x", "duration": "once"},
        {"name": "x", "duration": "once", "basis_points": 0},
        {"name": "x", "duration": "once", "basis_points": 10001},
        {"name": "x", "duration": "once", "basis_points": None},
        {"name": "x", "duration": "once", "type": "percentage", "amount": 5},
        {"name": "x", "duration": "once", "amount": -1},
        {"name": "x", "duration": "once", "amounts": {"usd": "a"}},
        {"name": "x", "duration": "repeating", "amount": 1},
        {"name": "x", "duration": "repeating", "amount": 1, "duration_in_months": None},
        {"name": "x", "duration": "sometimes", "amount": 1},
        {"name": "x", "duration": "once", "amount": 1, "type": None},
        {"name": "x", "duration": "once", "amount": 1, "code": "no"},
        {"name": "x", "duration": "once", "amount": 1, "code": "with space"},
        {"name": "x", "duration": "once", "amount": 1, "starts_at": "soon"},
        {"name": "x", "duration": "once", "amount": 1, "products": ["x"]},
        {
            "name": "x",
            "duration": "once",
            "amount": 1,
            "products": ["00000000-0000-4000-8000-000000000000"],
        },
        {"name": "x", "duration": "once", "amount": 1, "max_redemptions": 0},
        {"name": "x", "duration": "once", "amount": 10**30},
    ],
)
def test_bad_requests(here: Inside, body: Doc) -> None:
    here.call("POST", "/v1/discounts/", body, 422)


def test_a_taken_code(here: Inside) -> None:
    discount(here, code="LAUNCH25")
    body = {"name": "x", "duration": "once", "amount": 1, "code": "launch25"}
    here.call("POST", "/v1/discounts/", body, 422)
