"""Renewals that fail: past due, retries, recovery, giving up, as in facts sections 2, 3 and 7."""

from datetime import timedelta

import pytest

from polar_emulator.clock import parse
from polar_emulator.errors import PaymentFailed
from polar_emulator.rules import dunning
from polar_emulator.store import Doc
from tests.polar_emulator import recorded
from tests.polar_emulator.inside import Inside
from tests.polar_emulator.likeness import shape_differences

DAY = timedelta(days=1)
FAILED = [
    "subscription.cycled",
    "subscription.updated",
    "order.created",
    "subscription.updated",
    "subscription.past_due",
    "benefit_grant.revoked",
    "customer.state_changed",
]
GIVEN_UP = [
    "subscription.updated",
    "subscription.canceled",
    "subscription.revoked",
    "order.updated",
    "customer.state_changed",
]
RECOVERED = [
    "subscription.updated",
    "subscription.active",
    "order.updated",
    "order.paid",
    "benefit_grant.created",
    "order.updated",
    "customer.state_changed",
]


@pytest.fixture
def here() -> Inside:
    """Somebody who subscribed with a card that fails later, and whose renewal has just failed."""
    here = Inside()
    here.buy(token="ctoken_fails_later")
    here.events()
    here.advance(31)
    return here


def grace(here: Inside, days: int) -> None:
    organization = here.world.organization
    settings = {**organization["subscription_settings"], "benefit_revocation_grace_period": days}
    here.call(
        "PATCH", f"/v1/organizations/{organization['id']}", {"subscription_settings": settings}
    )


def granted(here: Inside) -> int:
    return len(here.call("GET", "/v1/customers/external/user_1/state")["granted_benefits"])


def test_first_failure(here: Inside) -> None:
    name = "08z-renewal-payment-failed-first-attempt-only"
    assert [row["type"] for row in recorded.scenario(name)] == here.events()
    subscription, order = here.subscription(), here.orders()[0]
    assert (subscription["status"], bool(subscription["past_due_at"])) == ("past_due", True)
    assert (order["status"], order["paid"]) == ("pending", False)
    for name, ours in (
        ("subscriptions-get-past_due", subscription),
        ("orders-list-with-pending", here.call("GET", "/v1/orders/")),
        ("customers-state-past_due", here.call("GET", "/v1/customers/external/user_1/state")),
    ):
        assert shape_differences(recorded.answer(name)["answer"], ours) == [], name
    wait = parse(order["next_payment_attempt_at"]) - parse(subscription["past_due_at"])
    assert abs(wait - timedelta(days=2)) < timedelta(seconds=2)
    state = here.call("GET", "/v1/customers/external/user_1/state")
    assert (state["active_subscriptions"], state["granted_benefits"]) == ([], [])


def test_exhausted(here: Inside) -> None:
    name = "08-renewal-payment-failed-until-dunning-exhausted"
    assert [row["type"] for row in recorded.scenario(name)] == FAILED + GIVEN_UP
    here.events()
    past_due_at = parse(here.subscription()["past_due_at"])
    for days in (2, 7, 14):
        here.advance(((past_due_at + timedelta(days=days, hours=1)) - here.world.now()) / DAY)
        assert here.events() == []
        assert here.subscription()["status"] == "past_due"
    here.advance(7)
    assert here.events() == GIVEN_UP
    subscription, order = here.subscription(), here.orders()[0]
    assert (subscription["status"], order["status"]) == ("canceled", "void")
    assert subscription["canceled_at"] == subscription["ends_at"] == subscription["ended_at"]
    assert subscription["past_due_at"]
    assert order["next_payment_attempt_at"] is None
    here.advance(60)
    assert here.events() == []


def test_a_retry_that_pays(here: Inside) -> None:
    here.events()
    customer = here.customer()
    here.world.store.put("customer", {**customer, "card": "paying"})
    here.advance(3)
    assert here.events() == RECOVERED
    assert recovered(here)


def test_a_new_card_is_tried_at_once(here: Inside) -> None:
    here.events()
    dunning.recover(here.world, here.customer())
    assert here.events() == RECOVERED
    assert recovered(here)
    here.advance(20)
    assert here.events() == []


def recovered(here: Inside) -> bool:
    subscription, order = here.subscription(), here.orders()[0]
    assert (subscription["status"], subscription["past_due_at"]) == ("active", None)
    assert (order["status"], order["next_payment_attempt_at"]) == ("paid", None)
    return granted(here) == 2


def test_paying_by_hand(here: Inside) -> None:
    order: Doc = here.world.store.need("order", here.orders()[0]["id"])
    with pytest.raises(PaymentFailed):
        dunning.pay_now(here.world, order)
    dunning.recover(here.world, here.customer())
    dunning.pay_now(here.world, here.world.store.need("order", order["id"]))
    assert [found["status"] for found in here.orders()] == ["paid", "paid"]


def test_giving_up_at_once(here: Inside) -> None:
    here.events()
    dunning.exhaust(here.world, here.customer())
    assert here.events() == GIVEN_UP


def test_ended_meanwhile(here: Inside) -> None:
    here.call("DELETE", f"/v1/subscriptions/{here.subscription()['id']}")
    here.events()
    here.advance(30)
    assert here.events() == []
    assert here.orders()[0]["next_payment_attempt_at"] is None


@pytest.mark.parametrize("days", [2, 7, 14, 21])
def test_benefits_stay_for_the_grace_period(days: int) -> None:
    here = Inside()
    here.buy(token="ctoken_fails_later")
    grace(here, days)
    here.advance(31)
    assert "benefit_grant.revoked" not in here.events()
    past_due_at = parse(here.subscription()["past_due_at"])
    almost = past_due_at + timedelta(days=days, hours=-1)
    here.advance((almost - here.world.now()) / DAY)
    assert granted(here) == 2
    here.advance(2 / 24)
    assert granted(here) == 0
    assert "benefit_grant.revoked" in here.events()


def test_grace_can_only_be_what_polar_offers() -> None:
    here = Inside()
    key = here.world.organization["id"]
    body = {"subscription_settings": {"benefit_revocation_grace_period": 3}}
    here.call("PATCH", f"/v1/organizations/{key}", body, 422)


def test_a_trial_that_cannot_be_charged() -> None:
    here = Inside()
    here.buy("Team Monthly", token="ctoken_fails_later")
    here.events()
    here.advance(15)
    assert here.events() == FAILED


def test_no_card_at_all() -> None:
    here = Inside()
    here.buy("Free")
    pro = here.call("GET", "/v1/products/?query=Pro Monthly")["items"][0]["id"]
    here.change({"product_id": pro})
    here.events()
    # Facts, section 4, 13y: nothing is charged until the next cycle.
    assert here.subscription()["status"] == "active"
    here.advance(31)
    assert here.events() == FAILED


def test_a_plan_change_that_is_declined(here: Inside) -> None:
    dunning.recover(here.world, here.customer())
    dunning.fail_next_renewal(here.world, here.customer())
    before = here.subscription()
    here.events()
    team = here.call("GET", "/v1/products/?query=Team")["items"][0]["id"]
    body = {"product_id": team, "proration_behavior": "invoice"}
    answer = here.change(body, 402)
    name = "402-subscriptions-update-product-invoice-card-declined"
    assert answer == recorded.answer(name)["answer"]
    assert here.events() == []
    assert here.subscription() == before
