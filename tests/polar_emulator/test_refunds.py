"""Refunds as recorded in scenarios 18 to 20: amounts, errors, events."""

import json
from typing import Any

import pytest

from polar_emulator.store import Doc
from tests.polar_emulator import recorded
from tests.polar_emulator.inside import Inside
from tests.polar_emulator.likeness import shape_differences


@pytest.fixture
def here() -> Inside:
    """Somebody in Germany who bought a lifetime for 99.00, as in the recording."""
    here = Inside()
    price = {"amount_type": "fixed", "price_amount": 9900, "price_currency": "usd"}
    product = here.call("POST", "/v1/products/", {"name": "Ever", "prices": [price]}, 201)
    benefit = here.call("GET", "/v1/benefits/?query=Reports")["items"][0]["id"]
    here.call("POST", f"/v1/products/{product['id']}/benefits", {"benefits": [benefit]})
    here.buy(product["id"], country="DE")
    here.events()
    return here


def refund(here: Inside, amount: int, status: int = 201, **more: Any) -> Any:
    order = here.orders()[0]["id"]
    body = {"order_id": order, "reason": "customer_request", "amount": amount, **more}
    return here.call("POST", "/v1/refunds/", body, status)


def amounts(order: Doc, names: tuple[str, ...]) -> Doc:
    return {name: order[name] for name in names}


def as_recorded(order: Doc, name: str) -> bool:
    names = (
        "status", "paid", "net_amount", "tax_amount", "total_amount", "refunded_amount",
        "refunded_tax_amount", "refundable_amount", "refundable_tax_amount",
    )  # fmt: skip
    return amounts(order, names) == amounts(recorded.answer(name)["answer"], names)


def test_in_two_parts(here: Inside) -> None:
    first = refund(here, 1000, comment="partial")
    was = recorded.answer("refunds-create-partial")["answer"]
    assert shape_differences(was, first) == []
    assert amounts(first, ("amount", "tax_amount", "status")) == amounts(
        was, ("amount", "tax_amount", "status")
    )
    rows = recorded.scenario("18-partial-refund")
    got = here.payloads()
    assert [(e["type"], e["data"]["status"]) for e in got] == [
        (row["type"], row["data"]["status"]) for row in rows
    ]
    assert as_recorded(here.orders()[0], "orders-get-partially-refunded")

    rest = refund(here, 7319, revoke_benefits=True)
    assert rest["tax_amount"] == recorded.answer("refunds-create-rest")["answer"]["tax_amount"]
    assert here.events() == [row["type"] for row in rows] + [
        "benefit_grant.revoked",
        "customer.state_changed",
    ]
    assert as_recorded(here.orders()[0], "orders-get-refunded")

    error = refund(here, 1, 403)
    old = recorded.answer("403-refunds-create-already-refunded")
    swapped = json.dumps(old["answer"]).replace(old["body"]["order_id"], here.orders()[0]["id"])
    assert error == json.loads(swapped)


def test_too_much(here: Inside) -> None:
    was = recorded.answer("422-refunds-create-too-high")
    assert refund(here, was["body"]["amount"], 422) == was["answer"]
    assert here.events() == []


def test_subscription_order() -> None:
    here = Inside()
    here.buy()
    here.events()
    name = "refunds-create-subscription-order-revoke_benefits-not-allowed"
    assert refund(here, 2000, 400, revoke_benefits=True) == recorded.answer(name)["answer"]
    done = refund(here, 2000)
    was = recorded.answer("refunds-create-full-subscription-order")["answer"]
    assert shape_differences(was, done) == []
    rows = recorded.scenario("20-full-refund-of-subscription-order")
    assert here.events() == [row["type"] for row in rows]
    # Facts, section 2: a refunded order does not cancel the subscription.
    assert here.subscription()["status"] == "active"
    listed = here.call("GET", "/v1/refunds/?external_customer_id=user_1&succeeded=true")
    assert shape_differences(recorded.answer("refunds-list")["answer"], listed) == []
    assert [found["id"] for found in listed["items"]] == [done["id"]]
    assert here.call("GET", "/v1/refunds/?succeeded=false")["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"order_id": "x", "reason": "other", "amount": 1},
        {"order_id": None, "reason": "other", "amount": 1},
        {"order_id": "00000000-0000-4000-8000-000000000000", "reason": "other", "amount": 1},
        {"order_id": "00000000-0000-4000-8000-000000000000", "reason": "bored", "amount": 1},
        {"order_id": "00000000-0000-4000-8000-000000000000", "reason": None, "amount": 1},
        {"order_id": "00000000-0000-4000-8000-000000000000", "reason": "other", "amount": 0},
        {"order_id": "00000000-0000-4000-8000-000000000000", "reason": "other", "amount": None},
        {"order_id": "00000000-0000-4000-8000-000000000000", "reason": ["other"], "amount": True},
    ],
)
def test_bad_requests(here: Inside, body: Doc) -> None:
    here.call("POST", "/v1/refunds/", body, 422)


def test_unpaid_orders_are_not_refunded() -> None:
    here = Inside()
    here.buy(token="ctoken_fails_later")
    here.advance(31)
    refund(here, 100, 422)
