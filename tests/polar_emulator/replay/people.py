"""Customers: made, changed, deleted, and found at a checkout by their id or their address."""

from tests.polar_emulator.replay.stage import Stage, covers


@covers(
    "23-customers-crud",
    "customers-create",
    "customers-update",
    "customers-update-by-external-id-email",
    "customers-update-change-external_id",
    "customers-state-no-subscription",
    "customers-create-without-external_id",
    "customers-update-set-external_id-when-null",
    "422-customers-create-existing-both",
    "422-customers-create-existing-email",
    "422-customers-create-existing-email-other-case",
    "422-customers-create-existing-external_id",
    "422-customers-create-no-email",
    "24-customer-deleted-without-subscription",
    "customers-delete-by-external-id",
    "404-customers-get-deleted-by-external-id",
    "404-customers-get-deleted-by-id",
    "customers-create-again-after-delete",
    "26-checkout-new-external-id-but-known-email",
    "checkout-create-new-external_id-known-email",
    "checkout-confirm-new-external_id-known-email",
    "checkout-get-new-external_id-known-email",
    "404-customers-external-id-ignored-because-email-known",
)
def made_changed_deleted(stage: Stage) -> None:
    stage.touch_organization()
    stage.send("customers-create")
    stage.each(
        "422-customers-create-existing-both",
        "422-customers-create-existing-email",
        "422-customers-create-existing-email-other-case",
        "422-customers-create-existing-external_id",
        "422-customers-create-no-email",
    )
    stage.settle()
    stage.each("customers-update", "customers-update-change-external_id")
    stage.settle()
    stage.send("customers-update-by-external-id-email")
    stage.send("customers-state-no-subscription")
    stage.settle()
    stage.each("customers-create-without-external_id", "customers-update-set-external_id-when-null")
    stage.tell("23-customers-crud")
    stage.send("customers-delete-by-external-id")
    stage.settle()
    stage.each(
        "404-customers-get-deleted-by-external-id",
        "404-customers-get-deleted-by-id",
        "customers-create-again-after-delete",
    )
    stage.tell("24-customer-deleted-without-subscription")
    name = "26-checkout-new-external-id-but-known-email"
    stage.open_as(name)
    stage.learn(name)
    stage.each(
        "checkout-create-new-external_id-known-email",
        "checkout-confirm-new-external_id-known-email",
    )
    stage.settle()
    stage.each(
        "checkout-get-new-external_id-known-email",
        "404-customers-external-id-ignored-because-email-known",
    )
    stage.tell(name)


@covers(
    "27-checkout-external-id-but-known-email-without-external-id",
    "customers-get-after-checkout-known-email-null-external_id",
    "customers-get-external-after-checkout-known-email-null-external_id",
)
def known_address(stage: Stage) -> None:
    name = "27-checkout-external-id-but-known-email-without-external-id"
    stage.create_customer_as(name)
    stage.open_as(name)
    stage.confirm(address={"country": "FR"})
    stage.tell(name)
    stage.each(
        "customers-get-after-checkout-known-email-null-external_id",
        "customers-get-external-after-checkout-known-email-null-external_id",
    )


@covers(
    "28-checkout-known-external-id-other-email",
    "checkout-create-known-external_id-no-email",
    "checkout-create-known-external_id-other-email",
    "checkout-confirm-known-external_id-other-email",
    "customers-get-after-checkout-other-email",
)
def known_id(stage: Stage) -> None:
    stage.touch_organization()
    stage.purchase("01-free-recurring-checkout-external-id")
    stage.send("checkout-create-known-external_id-other-email")
    first = stage.secret
    stage.send("checkout-create-known-external_id-no-email")
    stage.secret = first
    stage.send("checkout-confirm-known-external_id-other-email")
    stage.tell("28-checkout-known-external-id-other-email")
    stage.send("customers-get-after-checkout-other-email")


@covers(
    "22-invoice-generation",
    "orders-invoice-generate",
    "orders-invoice-get",
    "orders-get-with-invoice",
    "orders-invoice-generate-again",
    "orders-invoice-generate-free-order",
)
def invoices(stage: Stage) -> None:
    stage.purchase("01-free-recurring-checkout-external-id")
    stage.purchase("02-paid-monthly-checkout")
    stage.end_period("02-paid-monthly-checkout")
    stage.skip()
    stage.send("orders-invoice-generate")
    stage.settle()
    stage.each("orders-invoice-get", "orders-get-with-invoice")
    stage.send("orders-invoice-generate-free-order")
    stage.tell("22-invoice-generation")
    stage.send("orders-invoice-generate-again")


@covers(
    "17-one-time-purchase",
    "orders-get-one-time",
    "18-partial-refund",
    "refunds-create-partial",
    "orders-get-partially-refunded",
    "422-refunds-create-too-high",
    "refunds-create-rest",
    "orders-get-refunded",
    "403-refunds-create-already-refunded",
)
def bought_once_and_given_back(stage: Stage) -> None:
    stage.purchase("17-one-time-purchase")
    stage.send("orders-get-one-time")
    stage.send("refunds-create-partial")
    stage.tell("18-partial-refund")
    stage.each(
        "orders-get-partially-refunded",
        "422-refunds-create-too-high",
        "refunds-create-rest",
        "orders-get-refunded",
    )
    stage.settle()
    stage.send("403-refunds-create-already-refunded")


@covers(
    "20-full-refund-of-subscription-order",
    "refunds-create-subscription-order-revoke_benefits-not-allowed",
    "refunds-create-full-subscription-order",
    "refunds-list",
    "subscriptions-get-after-full-refund",
)
def refunded_subscription(stage: Stage) -> None:
    stage.purchase("20a-setup")
    stage.each(
        "refunds-create-subscription-order-revoke_benefits-not-allowed",
        "refunds-create-full-subscription-order",
    )
    stage.tell("20-full-refund-of-subscription-order")
    stage.each("refunds-list", "subscriptions-get-after-full-refund")
