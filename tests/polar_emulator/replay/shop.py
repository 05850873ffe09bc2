"""What is sold, the lists of everything, and requests that are refused."""

from tests.polar_emulator.replay.stage import Stage, covers

STRANGER = "Bearer something_else"
REFUSED = (
    "404-checkout-client-get",
    "404-checkout-get",
    "404-customers-get-by-external-id",
    "404-customers-state-by-external-id",
    "404-garbage-version",
    "404-orders-get",
    "404-products-get",
    "404-subscriptions-get",
    "404-unknown-route",
    "404-unsupported-version-2027-01",
    "405-method-not-allowed",
    "307-no-trailing-slash-products-list",
    "422-checkout-create-bad-email",
    "422-checkout-create-bad-success_url",
    "422-checkout-create-empty-body",
    "422-checkout-create-empty-products",
    "422-checkout-create-metadata-too-long",
    "422-checkout-create-product-not-uuid",
    "422-checkout-create-unknown-customer_id",
    "422-checkout-create-unknown-discount_id",
    "422-checkout-create-unknown-product",
    "422-customer-sessions-empty",
    "422-customer-sessions-unknown-customer_id",
    "422-customer-sessions-unknown-external_customer_id",
    "422-list-page-0",
    "422-malformed-json",
    "422-products-create-organization_id-with-oat",
    "422-products-get-not-a-uuid",
)


@covers(*REFUSED)
def refused(stage: Stage) -> None:
    stage.each(*REFUSED)


@covers(
    "401-no-token",
    "401-basic-scheme",
    "401-invalid-token",
    "403-insufficient-scope",
    "403-insufficient-scope-checkout-create",
)
def strangers(stage: Stage) -> None:
    reader = "Bearer polar_oat_scoped_products:read"
    stage.send("401-no-token", Authorization=None)
    stage.send("401-basic-scheme", Authorization="Basic abc")
    stage.send("401-invalid-token", Authorization=STRANGER)
    stage.send("403-insufficient-scope", Authorization=reader)
    stage.send("403-insufficient-scope-checkout-create", Authorization=reader)


@covers("429-rate-limit")
def too_many(stage: Stage) -> None:
    stage.call("POST", "/_emulator/rate-limit", {"per_minute": 1})
    stage.call("GET", "/v1/products/")
    stage.send("429-rate-limit")
    stage.call("POST", "/_emulator/rate-limit", {"per_minute": None})


@covers(
    "organizations-get",
    "products-get",
    "products-get-free",
    "products-get-trial",
    "products-get-version-2026-10",
    "products-list",
    "products-list-with-organization_id",
    "products-list-page2",
    "products-list-metadata-filter",
    "30-product-updated-archived",
    "products-update-name",
    "products-archive",
    "products-update-price",
    "422-checkout-create-archived-product",
)
def catalogue(stage: Stage) -> None:
    stage.each(
        "organizations-get",
        "products-get",
        "products-get-free",
        "products-get-trial",
        "products-get-version-2026-10",
        "products-list",
        "products-list-with-organization_id",
        "products-list-page2",
        "products-list-metadata-filter",
        "products-update-name",
        "products-archive",
        "422-checkout-create-archived-product",
        "products-update-price",
    )
    stage.tell("30-product-updated-archived")


@covers("benefits-create-feature_flag", "products-create", "products-update-benefits")
def made(stage: Stage) -> None:
    """These stand at the beginning of everything, so they bring new ids of their own."""
    stage.forget()
    stage.each(
        "benefits-create-feature_flag",
        "products-create",
        "products-update-benefits",
    )


@covers(
    "checkouts-list",
    "list-limit-500-is-clamped",
    "customers-list",
    "orders-list",
)
def lists(stage: Stage) -> None:
    stage.purchase("01-free-recurring-checkout-external-id")
    stage.purchase("02-paid-monthly-checkout")
    stage.end_period("02-paid-monthly-checkout")
    stage.purchase("05a-setup-purchase-user3")
    stage.change_of("05a-setup-purchase-user3", {"cancel_at_period_end": True})
    stage.end_period("05a-setup-purchase-user3")
    _two_who_leave(stage)
    stage.purchase("07a-setup-purchase-user5", "ctoken_fails_later")
    stage.end_period("07a-setup-purchase-user5")
    stage.each("checkouts-list", "list-limit-500-is-clamped", "customers-list", "orders-list")


@covers("subscriptions-list")
def list_of_subscriptions(stage: Stage) -> None:
    """Those whose dates were shifted in the recording come first here, so that they are older."""
    for name in (
        "01-free-recurring-checkout-external-id",
        "02-paid-monthly-checkout",
        "05a-setup-purchase-user3",
        "07a-setup-purchase-user5",
    ):
        stage.purchase(name)
    _two_who_leave(stage)
    stage.send("subscriptions-list")


def _two_who_leave(stage: Stage) -> None:
    stage.purchase("06a-setup-purchase-user4")
    stage.send("subscriptions-revoke")
    stage.settle()
    stage.purchase("06b-setup-purchase-user4b")
    stage.send("subscriptions-update-revoke-true")
    stage.settle()


@covers("404-product-of-another-organization")
def of_somebody_else(stage: Stage) -> None:
    """There is one organisation here, so a product of another one is one that does not exist."""
    stage.send("404-product-of-another-organization", f"/v1/products/{stage.world.new_id()}")


@covers(
    "500-subscriptions-update-month-to-year-invoice",
    "500-subscriptions-update-month-to-year-prorate",
)
def broken(stage: Stage) -> None:
    """A mistake of the recorded process, gone when it was restarted: here it is a fault to switch on."""
    stage.world.faults.api = "500"
    stage.each(
        "500-subscriptions-update-month-to-year-invoice",
        "500-subscriptions-update-month-to-year-prorate",
    )
    stage.world.faults.api = None
