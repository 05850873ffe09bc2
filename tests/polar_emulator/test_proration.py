"""Proration to the cent: facts, section 7, per second of the period's real length, checked by hand."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.polar_emulator.inside import Inside

DAY = 86400.0
# What the plans cost, in cents per period.
PLANS = {"pro": ("month", 2000), "team": ("month", 5000), "pro_year": ("year", 20000),
         "small_year": ("year", 36600), "big_year": ("year", 73200), "free": ("month", 0)}  # fmt: skip


def at(here: Inside, text: str) -> None:
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    here.advance((moment - here.world.now()).total_seconds() / DAY)


def plan(here: Inside, name: str) -> str:
    interval, amount = PLANS[name]
    price = {"amount_type": "fixed", "price_amount": amount, "price_currency": "usd"}
    body = {"name": name, "recurring_interval": interval, "prices": [price]}
    return str(here.call("POST", "/v1/products/", body, 201)["id"])


def switch(here: Inside, start: str, old: str, when: str, new: str, behavior: str) -> Any:
    at(here, start)
    here.buy(plan(here, old))
    at(here, when)
    here.events()
    return here.change({"product_id": plan(here, new), "proration_behavior": behavior})


@pytest.mark.parametrize(
    ("start", "old", "when", "new", "credit", "cost"),
    [
        # 14 of the 28 days of February are left.
        ("2027-02-01", "pro", "2027-02-15", "team", 1000, 2500),
        # 15 of 29 in a leap year: 2000 * 15/29 = 1034.48, 5000 * 15/29 = 2586.21.
        ("2028-02-01", "pro", "2028-02-15", "team", 1034, 2586),
        # 21 of 31: 1354.84 and 3387.10.
        ("2027-01-01", "pro", "2027-01-11", "team", 1355, 3387),
        # 10 of 30: 666.67 and 1666.67.
        ("2027-04-01", "pro", "2027-04-21", "team", 667, 1667),
        # The same way down.
        ("2027-04-01", "team", "2027-04-21", "pro", 1667, 667),
        # 31 January to 28 February is 28 days, and 14 are left.
        ("2027-01-31", "pro", "2027-02-14", "team", 1000, 2500),
        # One hour of 720: 2.78 and 6.94.
        ("2027-04-01", "pro", "2027-04-30T23:00", "team", 3, 7),
        # At once: the whole of both.
        ("2027-06-01", "pro", "2027-06-01", "team", 2000, 5000),
        # Year to year in a leap year: 184 of 366 days from 1 July.
        ("2028-01-01", "small_year", "2028-07-01", "big_year", 18400, 36800),
        # 31 January to 29 February is 29 days, and half of them are left.
        ("2028-01-31", "pro", "2028-02-14T12:00", "team", 1000, 2500),
        # 29 February to 28 February is 365 days; 182 are left: 18249.86 and 36499.73.
        ("2028-02-29", "small_year", "2028-08-30", "big_year", 18250, 36500),
        # Month to year: half of April back, a full year to pay.
        ("2027-04-01", "pro", "2027-04-16", "pro_year", 1000, 20000),
        # Year to month: 183 of 365 days back, 20000 * 183/365 = 10027.40, a full month to pay.
        ("2027-01-01", "pro_year", "2027-07-02", "pro", 10027, 2000),
        # From a free plan there is nothing to give back; 20 of 31 days: 3225.81.
        ("2027-03-01", "free", "2027-03-12", "team", 0, 3226),
    ],
)
def test_charged_now(start: str, old: str, when: str, new: str, credit: int, cost: int) -> None:
    here = Inside()
    at(here, start)
    here.buy(plan(here, old))
    here.world.store.put("customer", {**here.customer(), "card": "paying"})
    at(here, when)
    here.change({"product_id": plan(here, new), "proration_behavior": "invoice"})
    order = here.orders()[0]
    assert [line["amount"] for line in order["items"]] == [-credit, cost]
    assert order["total_amount"] == cost - credit
    assert order["due_amount"] == max(cost - credit, 0)
    assert (order["status"], order["billing_reason"]) == ("paid", "subscription_update")


def test_with_the_next_invoice() -> None:
    here = Inside()
    switch(here, "2027-02-01", "pro", "2027-02-15", "team", "prorate")
    assert len(here.orders()) == 1
    at(here, "2027-03-02")
    order = here.orders()[0]
    assert [line["amount"] for line in order["items"]] == [-1000, 2500, 5000]
    assert (order["total_amount"], order["billing_reason"]) == (6500, "subscription_cycle")
    at(here, "2027-04-02")
    assert here.orders()[0]["total_amount"] == 5000


def test_two_changes_before_the_next_invoice() -> None:
    here = Inside()
    switch(here, "2027-04-01", "pro", "2027-04-11", "team", "prorate")
    at(here, "2027-04-21")
    here.change({"product_id": plan(here, "pro"), "proration_behavior": "prorate"})
    at(here, "2027-05-02")
    # 20 of 30 days up: -1333 + 3333; 10 of 30 down: -1667 + 667; and May.
    assert [line["amount"] for line in here.orders()[0]["items"]] == [-1333, 3333, -1667, 667, 2000]
    assert here.orders()[0]["total_amount"] == 3000


def test_at_the_end_of_the_period() -> None:
    here = Inside()
    changed = switch(here, "2027-02-01", "pro", "2027-02-15", "team", "next_period")
    assert changed["amount"] == 2000
    assert changed["pending_update"]["applies_at"] == changed["current_period_end"]
    assert len(here.orders()) == 1
    at(here, "2027-03-02")
    assert here.orders()[0]["total_amount"] == 5000
    renewed = here.subscription()
    assert (renewed["amount"], renewed["pending_update"]) == (5000, None)


def test_a_change_to_another_interval_with_the_next_period() -> None:
    here = Inside()
    switch(here, "2027-02-01", "pro", "2027-02-15", "pro_year", "next_period")
    at(here, "2027-03-02")
    renewed = here.subscription()
    assert renewed["current_period_start"].startswith("2027-03-01")
    assert renewed["current_period_end"].startswith("2028-03-01")
    assert here.orders()[0]["total_amount"] == 20000


def test_a_new_change_replaces_the_scheduled_one() -> None:
    here = Inside()
    switch(here, "2027-02-01", "pro", "2027-02-15", "team", "next_period")
    changed = here.change({"product_id": plan(here, "free"), "proration_behavior": "prorate"})
    assert changed["pending_update"] is None
    at(here, "2027-03-02")
    assert here.subscription()["amount"] == 0


def test_credit_pays_for_what_follows() -> None:
    here = Inside()
    switch(here, "2027-01-01", "pro_year", "2027-07-02", "pro", "invoice")
    order = here.orders()[0]
    assert (order["total_amount"], order["due_amount"]) == (-8027, 0)
    used_up = [(month, -2000, 0) for month in ("08", "09", "10", "11")]
    for month, applied, due in [*used_up, ("12", -27, 1973)]:
        at(here, f"2027-{month}-03")
        order = here.orders()[0]
        assert (order["applied_balance_amount"], order["due_amount"]) == (applied, due)
        assert (order["total_amount"], order["status"]) == (2000, "paid")


def test_nothing_is_charged_in_a_trial() -> None:
    here = Inside()
    here.buy("Team Monthly")
    before = here.subscription()
    here.events()
    changed = here.change({"product_id": plan(here, "pro"), "proration_behavior": "invoice"})
    assert changed["status"] == "trialing"
    assert changed["trial_end"] == before["trial_end"]
    assert len(here.orders()) == 1
    here.advance(15)
    assert here.orders()[0]["total_amount"] == 2000


@pytest.mark.parametrize("behavior", ["invoice", "prorate", "next_period"])
@pytest.mark.parametrize("ending", [{"cancel_at_period_end": True}, {"revoke": True}])
def test_what_ends_is_not_changed(behavior: str, ending: dict[str, bool]) -> None:
    here = Inside()
    here.buy()
    here.change(ending)
    body = {"product_id": plan(here, "team"), "proration_behavior": behavior}
    assert here.change(body, 403)["error"] == "AlreadyCanceledSubscription"


def test_what_waits_is_charged_when_a_cancelled_one_ends() -> None:
    """Polar settles the entries of an earlier switch with an order of their own (`cycle`, `revoke`)."""
    here = Inside()
    switch(here, "2027-02-01", "pro", "2027-02-15", "team", "prorate")
    here.change({"cancel_at_period_end": True})
    here.advance(20)
    here.settle()
    last = here.orders()[0]
    assert [line["amount"] for line in last["items"]] == [-1000, 2500]
    assert (last["billing_reason"], last["total_amount"]) == ("subscription_cycle", 1500)
    assert here.subscription()["status"] == "canceled"
