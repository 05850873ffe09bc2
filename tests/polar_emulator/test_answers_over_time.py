"""Answers that take a while to come about: past due, recovered, exhausted, scheduled and charged."""

from collections.abc import Callable

import httpx
import pytest

from polar_emulator.catalogue import stable_id
from polar_emulator.rules import dunning
from polar_emulator.store import Doc
from tests.polar_emulator import recorded
from tests.polar_emulator.inside import Inside

TEAM = stable_id("product", "Team Monthly")


def past_due() -> Inside:
    """Somebody whose renewal has just failed."""
    here = Inside()
    here.buy(token="ctoken_fails_later", country="FR")
    here.advance(31)
    return here


def subscription(here: Inside) -> Doc:
    found: Doc = here.call("GET", f"/v1/subscriptions/{here.subscription()['id']}")
    return found


def recovered() -> Doc:
    here = past_due()
    dunning.recover(here.world, here.customer())
    here.settle()
    return subscription(here)


def exhausted() -> Doc:
    here = past_due()
    for days in (2.1, 5.1, 7.1, 7.1):
        here.advance(days)
    return subscription(here)


def changed(*bodies: Doc) -> Doc:
    here = Inside()
    here.buy(country="FR")
    answers = [here.change(body) for body in bodies]
    last: Doc = answers[-1]
    return last


CASES: dict[str, Callable[[], Doc]] = {
    "customers-state-past_due": lambda: past_due().call(
        "GET", "/v1/customers/external/user_1/state"
    ),
    "orders-list-with-pending": lambda: past_due().call("GET", "/v1/orders/"),
    "subscriptions-get-past_due": lambda: subscription(past_due()),
    "subscriptions-get-recovered": recovered,
    "subscriptions-get-dunning-exhausted": exhausted,
    "subscriptions-update-clear-pending": lambda: changed(
        {"product_id": TEAM, "proration_behavior": "next_period"}, {"pending_update": None}
    ),
    "subscriptions-update-product-invoice": lambda: changed(
        {"product_id": TEAM, "proration_behavior": "invoice"}
    ),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_same_shape_and_status(name: str) -> None:
    was, ours = recorded.answer(name)["answer"], CASES[name]()
    assert recorded.differences(was, ours) == []
    fields = ("status", "cancel_at_period_end", "pause_at_period_end", "pending_update")
    assert {key: ours[key] for key in fields if key in ours} == {
        key: was[key] for key in fields if key in was
    }
    empty = ("past_due_at", "ended_at", "canceled_at")
    assert [bool(ours.get(key)) for key in empty] == [bool(was.get(key)) for key in empty]
    if "items" in was:
        assert ours["items"][0]["status"] == was["items"][0]["status"]


def test_a_missing_slash_is_mended(http: httpx.Client) -> None:
    was = recorded.answer("307-no-trailing-slash-products-list")
    got = http.request(was["method"], was["path"])
    assert (got.status_code, got.text) == (was["status"], was["answer"])
    assert got.headers["location"].endswith("/v1/products/")
