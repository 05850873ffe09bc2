"""Purchases: free, paid, with a trial, once, and the second one that is refused."""

from tests.polar_emulator.replay.stage import STORIES, Stage, covers

SETUPS = (
    "05a-setup-purchase-user3",
    "06a-setup-purchase-user4",
    "06b-setup-purchase-user4b",
    "08a-setup-purchase-user6",
    "08b-setup-purchase-user6b",
    "09a-setup-purchase-user7",
    "11a-setup",
    "12a-setup",
    "12b-setup",
    "12e-setup",
    "12x-setup",
    "20a-setup",
)


def simple(name: str) -> None:
    """Enter an ordinary purchase as a story."""
    STORIES[name] = (lambda stage: stage.purchase(name), (name,))


for setup in SETUPS:
    simple(setup)


@covers(
    "00-setup-products-benefits",
    "01-free-recurring-checkout-external-id",
    "checkout-create-free",
    "checkout-client-get-open",
    "checkout-client-confirm-free",
    "checkout-get-succeeded-free",
    "customers-state-free",
    "subscriptions-get-free",
)
def free(stage: Stage) -> None:
    stage.each("checkout-create-free", "checkout-client-get-open", "checkout-client-confirm-free")
    stage.tell("01-free-recurring-checkout-external-id")
    stage.each("checkout-get-succeeded-free", "customers-state-free", "subscriptions-get-free")


@covers(
    "02-paid-monthly-checkout",
    "checkout-create-paid-external-id",
    "checkout-get-open",
    "422-checkout-confirm-missing-token",
    "checkout-confirm-card-declined",
    "checkout-get-after-declined-payment",
    "checkout-client-confirm-paid",
    "checkout-get-confirmed",
    "checkout-get-succeeded",
    "customers-get",
    "customers-get-by-external-id",
    "customer-sessions-create-by-customer_id",
    "customer-sessions-create-by-external_customer_id",
    "orders-invoice-get-before-generate",
    "orders-receipt-get",
)
def paid(stage: Stage) -> None:
    stage.each(
        "checkout-create-paid-external-id",
        "checkout-get-open",
        "422-checkout-confirm-missing-token",
        "checkout-confirm-card-declined",
        "checkout-get-after-declined-payment",
        "checkout-client-confirm-paid",
        "checkout-get-confirmed",
    )
    stage.tell("02-paid-monthly-checkout")
    stage.each(
        "checkout-get-succeeded",
        "customers-get",
        "customers-get-by-external-id",
        "customer-sessions-create-by-customer_id",
        "customer-sessions-create-by-external_customer_id",
        "orders-invoice-get-before-generate",
        "orders-receipt-get",
    )


@covers(
    "14-trial-start",
    "16-trial-again-same-customer",
    "checkout-get-trial-succeeded",
    "subscriptions-get-trialing",
    "customers-state-trialing",
    "checkout-create-trial-second-time",
    "checkout-confirm-trial-second-time",
    "subscriptions-get-after-trial",
)
def trial(stage: Stage) -> None:
    stage.purchase("14-trial-start")
    stage.each(
        "checkout-get-trial-succeeded", "subscriptions-get-trialing", "customers-state-trialing"
    )
    stage.advance(14.1)
    stage.send("subscriptions-get-after-trial")
    stage.skip()
    stage.each("checkout-create-trial-second-time", "checkout-confirm-trial-second-time")
    stage.tell("16-trial-again-same-customer")


@covers(
    "13a-setup-free-subscription",
    "checkout-create-upgrade-subscription_id",
    "checkout-confirm-upgrade-subscription_id",
    "checkout-get-upgrade-succeeded",
    "subscriptions-get-after-free-upgrade",
)
def upgrade_from_free(stage: Stage) -> None:
    stage.touch_organization()
    stage.purchase("13a-setup-free-subscription")
    stage.each(
        "checkout-create-upgrade-subscription_id", "checkout-confirm-upgrade-subscription_id"
    )
    stage.settle()
    stage.each("checkout-get-upgrade-succeeded", "subscriptions-get-after-free-upgrade")


@covers(
    "13b-free-subscriber-new-checkout-without-subscription_id",
    "checkout-create-while-on-free-subscription",
    "checkout-confirm-while-on-free-subscription",
    "subscriptions-list-after-checkout-while-on-free",
)
def second_beside_free(stage: Stage) -> None:
    name = "13b-free-subscriber-new-checkout-without-subscription_id"
    stage.open_as(name)
    stage.confirm()
    stage.settle()
    stage.each(
        "checkout-create-while-on-free-subscription",
        "checkout-confirm-while-on-free-subscription",
        "subscriptions-list-after-checkout-while-on-free",
    )
    stage.tell(name)


@covers(
    "13y-patch-free-to-paid-without-payment-method",
    "subscriptions-update-free-to-paid-no-payment-method",
)
def free_to_paid_without_a_card(stage: Stage) -> None:
    name = "13y-patch-free-to-paid-without-payment-method"
    stage.open_as(name)
    stage.confirm()
    stage.learn(name)
    stage.send("subscriptions-update-free-to-paid-no-payment-method")
    stage.tell(name)


@covers(
    "29-second-subscription-same-customer",
    "checkout-create-already-subscribed",
    "checkout-confirm-already-subscribed",
    "checkout-create-second-product",
    "checkout-confirm-second-product",
    "customers-state-after-second-product",
)
def second_subscription(stage: Stage) -> None:
    stage.purchase("02-paid-monthly-checkout")
    stage.end_period("02-paid-monthly-checkout")
    stage.skip()
    stage.each(
        "checkout-create-already-subscribed",
        "checkout-confirm-already-subscribed",
        "checkout-create-second-product",
        "checkout-confirm-second-product",
        "customers-state-after-second-product",
    )
    stage.tell("29-second-subscription-same-customer")


@covers(
    "31-checkout-expired",
    "checkout-create-minimal",
    "checkout-get-expired",
    "checkout-confirm-expired",
    "checkout-create-success_url-placeholder",
    "checkout-create-success_url-localhost",
    "checkout-create-multiple-products",
)
def expired(stage: Stage) -> None:
    checkout = stage.send("checkout-create-minimal")
    stage.expire(checkout["id"])
    stage.each(
        "checkout-get-expired",
        "checkout-confirm-expired",
        "checkout-create-success_url-placeholder",
        "checkout-create-success_url-localhost",
        "checkout-create-multiple-products",
    )
    stage.tell("31-checkout-expired")
