"""Pausing, resuming, and moving the end of trials and periods."""

from datetime import timedelta

import pytest

from polar_emulator.clock import parse, stamp
from polar_emulator.store import Doc
from tests.polar_emulator import recorded
from tests.polar_emulator.inside import Inside
from tests.polar_emulator.likeness import shape_differences

PAUSED = [
    "subscription.updated",
    "subscription.paused",
    "benefit_grant.revoked",
    "customer.state_changed",
]
# Facts, section 2, scenario 32; the platform's fee is known later, as after each paid order.
RESUMED = [
    "subscription.updated",
    "subscription.resumed",
    "order.created",
    "benefit_grant.created",
    "order.updated",
    "order.paid",
    "benefit_grant.cycled",
    "customer.state_changed",
    "order.updated",
]
TELLS = ["subscription.updated", "customer.state_changed"]


@pytest.fixture
def here() -> Inside:
    here = Inside()
    here.buy()
    here.events()
    return here


def test_pause_and_resume(here: Inside) -> None:
    asked = here.change({"pause_at_period_end": True})
    was = recorded.answer("subscriptions-update-pause_at_period_end")["answer"]
    assert shape_differences(was, asked) == []
    assert (asked["status"], asked["pause_at_period_end"]) == ("active", True)
    assert here.events() == TELLS
    here.advance(31)
    assert here.events() == PAUSED
    paused = here.subscription()
    assert (paused["status"], bool(paused["paused_at"])) == ("paused", True)
    assert len(here.orders()) == 1
    assert here.call("GET", "/v1/customers/external/user_1/state")["granted_benefits"] == []
    here.advance(100)
    assert here.events() == []

    resumed = here.change({"resume": True})
    was = recorded.answer("subscriptions-update-resume")["answer"]
    assert shape_differences(was, resumed) == []
    assert here.events() == RESUMED
    names = ("status", "paused_at", "resumes_at", "pause_at_period_end")
    assert [resumed[name] for name in names] == [was[name] for name in names]
    assert parse(resumed["current_period_start"]) > here.world.now() - timedelta(minutes=1)
    order = here.orders()[0]
    assert (order["billing_reason"], order["total_amount"]) == ("subscription_cycle", 2000)
    here.advance(31)
    assert here.events()[0] == "subscription.cycled"


def test_resuming_by_itself(here: Inside) -> None:
    later = stamp(here.world.now() + timedelta(days=60))
    assert here.change({"pause_at_period_end": True, "resumes_at": later})["resumes_at"] == later
    here.advance(40)
    assert here.subscription()["status"] == "paused"
    here.events()
    here.advance(21)
    assert here.events() == RESUMED


def test_resuming_with_a_failing_card(here: Inside) -> None:
    here.change({"pause_at_period_end": True})
    here.advance(31)
    here.world.store.put("customer", {**here.customer(), "card": "failing"})
    here.change({"resume": True})
    assert here.subscription()["status"] == "past_due"


def test_a_pause_taken_back(here: Inside) -> None:
    here.change({"pause_at_period_end": True})
    assert here.change({"pause_at_period_end": False})["pause_at_period_end"] is False
    assert here.events() == TELLS + TELLS
    here.advance(31)
    assert here.events()[0] == "subscription.cycled"
    here.change({"pause_at_period_end": False}, 400)
    here.change({"resume": True}, 400)


def test_paused_subscriptions_take_no_other_plan(here: Inside) -> None:
    product = here.subscription()["product_id"]
    here.change({"pause_at_period_end": True})
    here.advance(31)
    assert here.change({"product_id": product}, 403)["error"] == "InactiveSubscription"
    here.events()
    here.change({"cancel_at_period_end": True})
    assert here.events()[:3] == [
        "subscription.updated",
        "subscription.canceled",
        "subscription.revoked",
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"resume": False},
        {"resume": None},
        {"revoke": False},
        {"pause_at_period_end": "soon"},
        {"pause_at_period_end": True, "resumes_at": "tomorrow"},
        {"pause_at_period_end": True, "resumes_at": "2020-01-01T00:00:00Z"},
        {"trial_end": "later"},
        {"trial_end": 99999999999999999999},
        {"trial_end": "2020-01-01T00:00:00Z"},
        {"trial_end": "now"},
        {"current_billing_period_end": "2020-01-01T00:00:00Z"},
        {"current_billing_period_end": []},
        {"proration_behavior": ["invoice"]},
    ],
)
def test_bad_changes(here: Inside, body: Doc) -> None:
    here.change(body, 422)
    assert here.events() == []


def test_ending_a_trial_now() -> None:
    here = Inside()
    here.buy("Team Monthly")
    here.events()
    here.change({"trial_end": "now"})
    # Facts, section 2, scenario 15, after the change itself.
    assert here.events() == [
        *TELLS,
        "subscription.cycled",
        "subscription.updated",
        "order.created",
        "order.updated",
        "order.paid",
        "benefit_grant.cycled",
        "customer.state_changed",
        "order.updated",
    ]
    assert here.subscription()["status"] == "active"
    assert here.orders()[0]["total_amount"] == 5000


def test_a_longer_trial() -> None:
    here = Inside()
    here.buy("Team Monthly")
    later = stamp(here.world.now() + timedelta(days=30))
    changed = here.change({"trial_end": later})
    assert changed["trial_end"] == changed["current_period_end"] == later
    here.advance(29)
    assert here.subscription()["status"] == "trialing"
    here.advance(2)
    assert here.subscription()["status"] == "active"
    assert len(here.orders()) == 2


def test_a_trial_for_a_running_subscription(here: Inside) -> None:
    later = stamp(here.world.now() + timedelta(days=60))
    changed = here.change({"trial_end": later})
    assert (changed["status"], changed["trial_end"]) == ("trialing", later)
    assert here.events() == TELLS
    here.advance(59)
    assert len(here.orders()) == 1


def test_another_end_of_the_period(here: Inside) -> None:
    later = stamp(here.world.now() + timedelta(days=45))
    assert here.change({"current_billing_period_end": later})["current_period_end"] == later
    here.advance(44)
    assert len(here.orders()) == 1
    here.advance(2)
    assert len(here.orders()) == 2


def test_cancelling_with_a_reason(here: Inside) -> None:
    reason = {
        "customer_cancellation_reason": "too_expensive",
        "customer_cancellation_comment": "Next year perhaps.",
    }
    changed = here.change({"cancel_at_period_end": True, **reason})
    assert {name: changed[name] for name in reason} == reason
    back = here.change({"cancel_at_period_end": False})
    assert {name: back[name] for name in reason} == dict.fromkeys(reason)
    ended = here.change({"revoke": True, **reason})
    assert {name: ended[name] for name in reason} == reason
    listed = here.call("GET", "/v1/subscriptions/?customer_cancellation_reason=too_expensive")
    assert len(listed["items"]) == 1


def test_free_plans_are_given_by_the_merchant() -> None:
    here = Inside()
    here.call("POST", "/v1/customers/", {"email": "a@example.com", "external_id": "user_1"}, 201)
    here.events()
    plans = {item["name"]: item["id"] for item in here.call("GET", "/v1/products/")["items"]}
    body = {"product_id": plans["Free"], "external_customer_id": "user_1", "metadata": {"a": 1}}
    made = here.call("POST", "/v1/subscriptions/", body, 201)
    was = recorded.answer("subscriptions-get-active")["answer"]
    assert shape_differences(was, made) == []
    assert (made["status"], made["amount"], made["metadata"]) == ("active", 0, {"a": 1})
    free = [row["type"] for row in recorded.scenario("01-free-recurring-checkout-external-id")]
    first = free.index("subscription.created")
    assert here.events() == [name for name in free[first:] if name != "checkout.updated"]
    for wrong in (
        {"product_id": plans["Pro Monthly"]},
        {"product_id": plans["Lifetime"]},
        {"product_id": "x"},
        {"product_id": None},
        {"external_customer_id": "nobody"},
        {"external_customer_id": 3},
    ):
        here.call("POST", "/v1/subscriptions/", {**body, **wrong}, 422)
    here.call("POST", "/v1/subscriptions/", {"product_id": plans["Free"]}, 422)
    customer = here.customer()["id"]
    del body["external_customer_id"]
    here.call("POST", "/v1/subscriptions/", {**body, "customer_id": customer}, 201)
