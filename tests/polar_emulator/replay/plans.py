"""What becomes of a subscription: renewals, cancellations, changes of the plan, failing cards."""

from polar_emulator.rules import dunning
from tests.polar_emulator.replay.stage import Stage, covers

FAILS_LATER = "ctoken_fails_later"


@covers(
    "03-cancel-at-period-end-then-uncancel",
    "subscriptions-update-cancel_at_period_end-true",
    "subscriptions-update-cancel-already-canceled",
    "subscriptions-update-cancel_at_period_end-false",
    "subscriptions-update-uncancel-not-canceled",
    "04-renewal-success",
    "subscriptions-get-after-renewal",
    "subscriptions-get-active",
    "subscriptions-list-active",
    "subscriptions-list-by-external_customer_id",
    "customers-state-by-external-id",
    "orders-get-paid",
    "orders-list-by-customer",
    "orders-list-by-external_customer_id",
    "customers-list-by-email",
    "07x-patch-with-empty-body",
    "subscriptions-update-empty-body",
    "422-subscriptions-update-unknown-field",
    "422-checkout-create-upgrade-paid-subscription_id",
    "subscriptions-update-pause_at_period_end",
    "subscriptions-update-resume",
)
def a_long_life(stage: Stage) -> None:
    stage.purchase("02-paid-monthly-checkout")
    stage.each(
        "subscriptions-update-cancel_at_period_end-true",
        "subscriptions-update-cancel-already-canceled",
    )
    stage.settle()
    stage.each(
        "subscriptions-update-cancel_at_period_end-false",
        "subscriptions-update-uncancel-not-canceled",
    )
    stage.tell("03-cancel-at-period-end-then-uncancel")
    stage.end_period("02-paid-monthly-checkout")
    stage.tell("04-renewal-success")
    stage.each(
        "subscriptions-get-after-renewal",
        "subscriptions-get-active",
        "subscriptions-list-active",
        "subscriptions-list-by-external_customer_id",
        "customers-state-by-external-id",
        "orders-get-paid",
        "orders-list-by-customer",
        "orders-list-by-external_customer_id",
        "customers-list-by-email",
        "subscriptions-update-empty-body",
    )
    stage.tell("07x-patch-with-empty-body")
    stage.each(
        "422-subscriptions-update-unknown-field",
        "422-checkout-create-upgrade-paid-subscription_id",
        "subscriptions-update-pause_at_period_end",
    )
    stage.end_period("02-paid-monthly-checkout")
    stage.send("subscriptions-update-resume")


@covers("05-cancel-at-period-end-then-period-ends", "subscriptions-get-ended")
def canceled_and_over(stage: Stage) -> None:
    stage.purchase("05a-setup-purchase-user3")
    stage.change_of("05a-setup-purchase-user3", {"cancel_at_period_end": True})
    stage.end_period("05a-setup-purchase-user3")
    stage.tell("05-cancel-at-period-end-then-period-ends")
    stage.send("subscriptions-get-ended")


@covers(
    "06-immediate-revoke",
    "subscriptions-revoke",
    "subscriptions-revoke-already-revoked",
    "customers-state-after-revoke",
)
def revoked(stage: Stage) -> None:
    stage.purchase("06a-setup-purchase-user4")
    stage.send("subscriptions-revoke")
    stage.tell("06-immediate-revoke")
    stage.each("subscriptions-revoke-already-revoked", "customers-state-after-revoke")


@covers("06c-immediate-revoke-via-patch", "subscriptions-update-revoke-true")
def revoked_by_patch(stage: Stage) -> None:
    stage.purchase("06b-setup-purchase-user4b")
    stage.send("subscriptions-update-revoke-true")
    stage.tell("06c-immediate-revoke-via-patch")


@covers(
    "07a-setup-purchase-user5",
    "customers-state-past_due",
    "subscriptions-get-past_due",
    "orders-list-with-pending",
    "subscriptions-get-recovered",
)
def failing_and_recovering(stage: Stage) -> None:
    stage.purchase("07a-setup-purchase-user5", FAILS_LATER)
    stage.end_period("07a-setup-purchase-user5")
    stage.each("customers-state-past_due", "subscriptions-get-past_due", "orders-list-with-pending")
    dunning.recover(stage.world, stage.customer("user_5"))
    stage.settle()
    stage.send("subscriptions-get-recovered")


@covers("08z-renewal-payment-failed-first-attempt-only")
def failing_once(stage: Stage) -> None:
    stage.purchase("08a-setup-purchase-user6", FAILS_LATER)
    stage.end_period("08a-setup-purchase-user6")
    stage.tell("08z-renewal-payment-failed-first-attempt-only")


@covers("08-renewal-payment-failed-until-dunning-exhausted", "subscriptions-get-dunning-exhausted")
def failing_for_good(stage: Stage) -> None:
    stage.purchase("08b-setup-purchase-user6b", FAILS_LATER)
    stage.end_period("08b-setup-purchase-user6b")
    for days in (2.1, 5.1, 7.1, 7.1):
        stage.advance(days)
    stage.tell("08-renewal-payment-failed-until-dunning-exhausted")
    stage.send("subscriptions-get-dunning-exhausted")


@covers(
    "09-plan-change-upgrade-invoice-now",
    "subscriptions-update-product-invoice",
    "orders-list-after-upgrade",
    "10-plan-change-downgrade-prorate",
    "subscriptions-update-product-prorate",
    "customers-delete-with-active-subscription",
    "orders-list-of-deleted-customer",
    "subscriptions-get-of-deleted-customer",
    "checkout-create-external_id-of-deleted-customer",
)
def up_down_and_gone(stage: Stage) -> None:
    stage.purchase("09a-setup-purchase-user7")
    stage.advance(10)
    stage.send("subscriptions-update-product-invoice")
    stage.tell("09-plan-change-upgrade-invoice-now")
    stage.each("orders-list-after-upgrade", "subscriptions-update-product-prorate")
    stage.tell("10-plan-change-downgrade-prorate")
    stage.change_of("09a-setup-purchase-user7", {"product_id": stage.product("Team Monthly")})
    stage.send("customers-delete-with-active-subscription")
    stage.settle()
    stage.each(
        "orders-list-of-deleted-customer",
        "subscriptions-get-of-deleted-customer",
        "checkout-create-external_id-of-deleted-customer",
    )


@covers(
    "12g-plan-change-month-to-year-second-customer",
    "subscriptions-update-product-next_period",
    "subscriptions-update-month-to-year-prorate-second",
)
def scheduled_then_yearly(stage: Stage) -> None:
    stage.purchase("11a-setup")
    stage.send("products-update-price")
    stage.send("subscriptions-update-product-next_period")
    stage.end_period("11a-setup")
    stage.skip()
    stage.advance(0.01)
    stage.send("subscriptions-update-month-to-year-prorate-second")
    stage.tell("12g-plan-change-month-to-year-second-customer")


@covers(
    "402-subscriptions-update-product-invoice-card-declined",
    "subscriptions-get-after-declined-plan-change",
)
def upgrade_with_a_failing_card(stage: Stage) -> None:
    stage.purchase("12b-setup", FAILS_LATER)
    stage.each(
        "402-subscriptions-update-product-invoice-card-declined",
        "subscriptions-get-after-declined-plan-change",
    )


@covers("422-subscriptions-update-product-one-time", "422-subscriptions-update-product-unknown")
def impossible_products(stage: Stage) -> None:
    stage.purchase("12a-setup")
    stage.each(
        "422-subscriptions-update-product-one-time", "422-subscriptions-update-product-unknown"
    )


@covers(
    "12-plan-change-next_period-then-pending-cleared",
    "subscriptions-update-month-to-year-next_period",
    "subscriptions-update-clear-pending",
    "subscriptions-update-month-to-year-reset",
    "12h-plan-change-month-to-year-third-customer",
)
def scheduled_and_taken_back(stage: Stage) -> None:
    stage.purchase("12x-setup")
    stage.send("products-update-price")
    stage.skip()
    stage.send("subscriptions-update-month-to-year-next_period")
    stage.settle()
    stage.send("subscriptions-update-clear-pending")
    stage.tell("12-plan-change-next_period-then-pending-cleared")
    stage.send("subscriptions-update-month-to-year-reset")
    yearly = {"product_id": stage.product("Pro Yearly"), "proration_behavior": "prorate"}
    stage.change_of("12x-setup", yearly)
    stage.tell("12h-plan-change-month-to-year-third-customer")


@covers(
    "12f-plan-change-month-to-year-prorate",
    "subscriptions-update-month-to-year-prorate-fresh-process",
)
def month_to_year(stage: Stage) -> None:
    stage.purchase("12e-setup")
    stage.send("products-update-price")
    stage.skip()
    stage.send("subscriptions-update-month-to-year-prorate-fresh-process")
    stage.tell("12f-plan-change-month-to-year-prorate")
