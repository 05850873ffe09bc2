"""The order of events in the scenarios that were recorded."""

import pytest
from polar.v2026_10 import Polar

from polar_emulator.testing import LocalPolar
from tests.polar_emulator import recorded
from tests.polar_emulator.buyers import DECLINED, Buyers, product_id
from tests.polar_emulator.receiving import Receiver

MONTH = 31 * 86400


def without_benefit_names(types: list[str]) -> list[str]:
    """Neighbours of the same grant type made one: demo products have several benefits."""
    kept: list[str] = []
    for name in types:
        if not (kept and kept[-1] == name and name.startswith("benefit_grant.")):
            kept.append(name)
    return kept


def types_of(name: str, first: int = 0) -> list[str]:
    return [row["type"] for row in recorded.scenario(name)][first:]


@pytest.mark.parametrize(
    ("name", "product"),
    [
        ("01-free-recurring-checkout-external-id", "Free"),
        ("09a-setup-purchase-user7", "Pro Monthly"),
        ("14-trial-start", "Team Monthly"),
        ("17-one-time-purchase", "Lifetime"),
    ],
)
def test_purchase(buyers: Buyers, name: str, product: str) -> None:
    assert without_benefit_names(buyers.events_after(lambda: buyers.buy(product))) == types_of(name)


def test_declined_then_paid(buyers: Buyers) -> None:
    def steps() -> None:
        checkout = buyers.open()
        assert buyers.pay(checkout, DECLINED).status_code == 400
        assert buyers.sdk.checkouts.get(checkout.id).status == "open"
        assert buyers.pay(checkout).status_code == 200

    events = without_benefit_names(buyers.events_after(steps))
    assert events == types_of("02-paid-monthly-checkout")


def test_statuses_of_a_paid_checkout(buyers: Buyers, receiver: Receiver) -> None:
    buyers.buy()
    rows = recorded.scenario("09a-setup-purchase-user7")
    wanted = {
        (row["type"], row["data"]["status"])
        for row in rows
        if "status" in row["data"] and row["type"] != "checkout.expired"
    }
    got = set()
    for delivery in receiver.deliveries:
        event = recorded.json.loads(delivery.raw)
        if "status" in event["data"]:
            got.add((event["type"], event["data"]["status"]))
    assert got == wanted


def test_cancel_and_take_back(buyers: Buyers, sdk: Polar) -> None:
    buyers.buy()
    key = buyers.subscription().id

    def steps() -> None:
        sdk.subscriptions.update(key, cancel_at_period_end=True)
        buyers.polar.wait_idle()
        sdk.subscriptions.update(key, cancel_at_period_end=False)

    assert buyers.events_after(steps) == types_of("03-cancel-at-period-end-then-uncancel")


def test_canceled_and_over(buyers: Buyers, sdk: Polar, polar: LocalPolar) -> None:
    buyers.buy()
    key = buyers.subscription().id

    def steps() -> None:
        sdk.subscriptions.update(key, cancel_at_period_end=True)
        buyers.polar.wait_idle()
        polar.advance(MONTH)

    events = without_benefit_names(buyers.events_after(steps))
    assert events == types_of("05-cancel-at-period-end-then-period-ends")
    ended = sdk.subscriptions.get(key)
    assert (ended.status, ended.cancel_at_period_end) == ("canceled", True)
    assert ended.ended_at


def test_renewal(buyers: Buyers, polar: LocalPolar) -> None:
    buyers.buy()
    events = without_benefit_names(buyers.events_after(lambda: polar.advance(MONTH)))
    assert events == types_of("04-renewal-success")


def test_trial_end(buyers: Buyers, polar: LocalPolar) -> None:
    buyers.buy("Team Monthly")
    events = without_benefit_names(buyers.events_after(lambda: polar.advance(15 * 86400)))
    # Facts, section 2, scenario 15: no subscription.active at the conversion.
    assert events == [
        "subscription.cycled",
        "subscription.updated",
        "order.created",
        "order.updated",
        "order.paid",
        "benefit_grant.cycled",
        "customer.state_changed",
        "order.updated",
    ]
    assert buyers.subscription().status == "active"


def test_revoke(buyers: Buyers, sdk: Polar) -> None:
    buyers.buy()
    key = buyers.subscription().id
    events = buyers.events_after(lambda: sdk.subscriptions.revoke(key))
    assert without_benefit_names(events) == types_of("06-immediate-revoke")


def test_revoke_by_update(buyers: Buyers, sdk: Polar) -> None:
    buyers.buy()
    key = buyers.subscription().id
    events = buyers.events_after(lambda: sdk.subscriptions.update(key, revoke=True))
    assert without_benefit_names(events) == types_of("06c-immediate-revoke-via-patch")


def test_empty_update(buyers: Buyers, sdk: Polar) -> None:
    buyers.buy()
    key = buyers.subscription().id
    events = buyers.events_after(lambda: sdk.subscriptions.update(key))
    assert events == types_of("07x-patch-with-empty-body")


def test_upgrade_charged_now(buyers: Buyers, sdk: Polar) -> None:
    buyers.buy()
    key = buyers.subscription().id
    change = {"product_id": product_id("Team Monthly"), "proration_behavior": "invoice"}
    events = [
        name
        for name in buyers.events_after(lambda: sdk.subscriptions.update(key, **change))
        if not name.startswith("benefit_grant.")  # the recorded plans shared one benefit
    ]
    assert events == types_of("09-plan-change-upgrade-invoice-now")


def test_change_on_the_next_invoice(buyers: Buyers, sdk: Polar) -> None:
    sdk.products.create(name="Basic", prices=[fixed(500)], recurring_interval="month")
    buyers.buy()
    key = buyers.subscription().id
    target = sdk.products.list(query="Basic").items[0].id
    events = buyers.events_after(lambda: sdk.subscriptions.update(key, product_id=target))
    kept = [name for name in events if not name.startswith("benefit_grant.")]
    assert kept == types_of("10-plan-change-downgrade-prorate")
    assert buyers.subscription().amount == 500


def test_change_scheduled_and_cleared(buyers: Buyers, sdk: Polar) -> None:
    buyers.buy()
    key = buyers.subscription().id
    change = {"product_id": product_id("Team Monthly"), "proration_behavior": "next_period"}

    def steps() -> None:
        pending = sdk.subscriptions.update(key, **change).pending_update
        assert pending
        assert pending.product_id == product_id("Team Monthly")
        buyers.polar.wait_idle()
        assert sdk.subscriptions.update(key, pending_update=None).pending_update is None

    name = "12-plan-change-next_period-then-pending-cleared"
    assert buyers.events_after(steps) == types_of(name)


def test_month_to_year_is_charged_at_once(buyers: Buyers, sdk: Polar) -> None:
    buyers.buy()
    key = buyers.subscription().id
    target = product_id("Pro Yearly")
    events = buyers.events_after(lambda: sdk.subscriptions.update(key, product_id=target))
    assert events == types_of("12f-plan-change-month-to-year-prorate")
    order = sdk.orders.list(product_id=[target]).items[0]
    assert (order.total_amount, order.billing_reason) == (18000, "subscription_update")


def test_upgrade_from_free(buyers: Buyers, sdk: Polar) -> None:
    buyers.buy("Free")
    key = buyers.subscription().id

    def steps() -> None:
        checkout = buyers.open(user="user_1", external_customer_id=None, subscription_id=key)
        assert buyers.pay(checkout).status_code == 200

    # Facts, section 2, scenario 13: subscription.updated is all that tells about it.
    kept = [name for name in buyers.events_after(steps) if not name.startswith("benefit_grant.")]
    assert kept == [
        "checkout.created",
        "checkout.updated",
        "customer.updated",
        "customer.state_changed",
        "subscription.updated",
        "order.created",
        "order.updated",
        "order.paid",
        "checkout.updated",
        "customer.state_changed",
        "order.updated",
    ]
    upgraded = sdk.subscriptions.get(key)
    assert (upgraded.amount, upgraded.status) == (2000, "active")


def test_customers_come_and_go(buyers: Buyers, sdk: Polar) -> None:
    def create() -> None:
        sdk.customers.create(email="crud@example.com", external_id="crud_1")

    def rename() -> None:
        sdk.customers.update_external("crud_1", name="Renamed")

    def delete() -> None:
        sdk.customers.delete_external("crud_1")

    crud = types_of("23-customers-crud")
    assert buyers.events_after(create) == crud[:3]
    assert buyers.events_after(rename) == crud[3:5]
    gone = types_of("24-customer-deleted-without-subscription")
    assert buyers.events_after(delete) == gone[:3]
    assert buyers.events_after(create) == gone[3:]


def test_customer_deleted_with_a_subscription(buyers: Buyers, sdk: Polar) -> None:
    buyers.buy()
    key = buyers.subscription().id
    events = buyers.events_after(lambda: sdk.customers.delete_external("user_1"))
    # Facts, section 2, scenario 25.
    assert without_benefit_names(events) == [
        "member.deleted",
        "customer.deleted",
        "customer.state_changed",
        "benefit_grant.revoked",
        "subscription.updated",
        "subscription.canceled",
        "subscription.revoked",
        "customer.state_changed",
    ]
    assert sdk.subscriptions.get(key).status == "canceled"


def test_expired_checkout(buyers: Buyers, sdk: Polar, polar: LocalPolar) -> None:
    checkout = buyers.open()
    assert buyers.events_after(lambda: polar.advance(25 * 3600)) == ["checkout.expired"]
    assert sdk.checkouts.get(checkout.id).status == "expired"


def test_invoice(buyers: Buyers, sdk: Polar) -> None:
    buyers.buy()
    order = sdk.orders.list().items[0]
    events = buyers.events_after(lambda: sdk.orders.generate_invoice(order.id))
    assert events == ["order.updated"]
    assert sdk.orders.get(order.id).is_invoice_generated


def fixed(amount: int) -> dict[str, object]:
    return {"amount_type": "fixed", "price_amount": amount, "price_currency": "usd"}
