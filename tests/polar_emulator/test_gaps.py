"""Situations without a recording, with what was sold in the recordings: the order that the facts state.

Facts, section 2; the short forms there leave out the late update with the fee.
"""

from collections.abc import Callable

import pytest

from polar_emulator.rules import dunning
from tests.polar_emulator.receiving import Receiver
from tests.polar_emulator.replay.stage import Stage

STATE = "customer.state_changed"
RENEWED = ["subscription.cycled", "subscription.updated", "order.created", "order.updated"]
RENEWED += ["order.paid", "benefit_grant.cycled", STATE, "order.updated"]
SETUP = "09a-setup-purchase-user7"


def scheduled_change(stage: Stage) -> None:
    stage.purchase(SETUP)
    change = {"product_id": stage.product("Team Monthly"), "proration_behavior": "next_period"}
    assert stage.change_of(SETUP, change)["pending_update"]["product_id"] == change["product_id"]
    stage.skip()
    stage.end_period(SETUP)
    assert stage.subscription("user_7")["product_id"] == change["product_id"]


def trial_over(stage: Stage) -> None:
    stage.purchase("14-trial-start")
    stage.advance(14.1)


def trial_canceled(stage: Stage) -> None:
    stage.purchase("14-trial-start")
    asked = stage.change_of("14-trial-start", {"cancel_at_period_end": True})
    assert (asked["status"], asked["ends_at"]) == ("trialing", asked["trial_end"])
    stage.skip()
    stage.advance(14.1)
    assert [order["total_amount"] for order in stage.orders("user_9")] == [0]


def recovered(stage: Stage) -> None:
    stage.purchase(SETUP, "ctoken_fails_later")
    stage.end_period(SETUP)
    stage.skip()
    stage.advance(2.1)
    assert stage.events() == []  # A retry that fails is silent.
    dunning.recover(stage.world, stage.customer("user_7"))


def upgraded_from_free(stage: Stage) -> None:
    stage.purchase("13a-setup-free-subscription")
    stage.each(
        "checkout-create-upgrade-subscription_id", "checkout-confirm-upgrade-subscription_id"
    )


def refunded_in_full(stage: Stage) -> None:
    stage.purchase("17-one-time-purchase")
    stage.send("refunds-create-partial")
    stage.skip()
    stage.send("refunds-create-rest")


def deleted_with_a_subscription(stage: Stage) -> None:
    stage.purchase(SETUP)
    stage.send("customers-delete-with-active-subscription")


def paused(stage: Stage) -> None:
    stage.purchase(SETUP)
    stage.change_of(SETUP, {"pause_at_period_end": True})
    assert stage.events() == ["subscription.updated", STATE]
    stage.end_period(SETUP)


def resumed(stage: Stage) -> None:
    paused(stage)
    stage.skip()
    stage.change_of(SETUP, {"resume": True})


CASES: dict[Callable[[Stage], None], list[str]] = {
    scheduled_change: RENEWED,
    trial_over: RENEWED,
    trial_canceled: [
        "subscription.updated",
        "subscription.canceled",
        "subscription.revoked",
        "benefit_grant.revoked",
        STATE,
    ],
    recovered: [
        "subscription.updated",
        "subscription.active",
        "order.updated",
        "order.paid",
        "benefit_grant.created",
        "order.updated",
        STATE,
    ],
    upgraded_from_free: [
        "checkout.created",
        "checkout.updated",
        "customer.updated",
        STATE,
        "subscription.updated",
        "order.created",
        "order.updated",
        "order.paid",
        "checkout.updated",
        STATE,
        "order.updated",
    ],
    refunded_in_full: [
        "refund.created",
        "order.updated",
        "order.refunded",
        "refund.updated",
        "refund.updated",
        "benefit_grant.revoked",
        STATE,
    ],
    deleted_with_a_subscription: [
        "member.deleted",
        "customer.deleted",
        STATE,
        "benefit_grant.revoked",
        "subscription.updated",
        "subscription.canceled",
        "subscription.revoked",
        STATE,
    ],
    paused: ["subscription.updated", "subscription.paused", "benefit_grant.revoked", STATE],
    resumed: [
        "subscription.updated",
        "subscription.resumed",
        "order.created",
        "benefit_grant.created",
        "order.updated",
        "order.paid",
        "benefit_grant.cycled",
        STATE,
        "order.updated",
    ],
}


@pytest.mark.parametrize("story", CASES, ids=lambda story: story.__name__)
def test_order(story: Callable[[Stage], None], listening: Receiver) -> None:
    stage = Stage(listening)
    story(stage)
    assert stage.events() == CASES[story]


def test_a_paid_checkout_does_not_wait_for_its_end(listening: Receiver) -> None:
    stage = Stage(listening)
    stage.purchase(SETUP)
    assert stage.world.store.find("job", {"name": "checkout.expire"}) == []


def test_one_trial_for_everybody_when_the_organization_says_so(listening: Receiver) -> None:
    stage = Stage(listening)
    stage.purchase("14-trial-start")
    stage.call("DELETE", f"/v1/subscriptions/{stage.subscription_of('14-trial-start')}")
    path = f"/v1/organizations/{stage.world.organization['id']}"
    stage.call("PATCH", path, {"subscription_settings": {"prevent_trial_abuse": True}})
    stage.open_as("14-trial-start")
    refused = stage.confirm(status=403)
    assert refused["error"] == "TrialAlreadyRedeemed"
    stage.call("PATCH", path, {"subscription_settings": {"prevent_trial_abuse": False}})
    assert stage.confirm()["status"] == "confirmed"
