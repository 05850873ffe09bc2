"""Every recorded scenario again: the same events with the same meaning, in the same order.

Facts, section 1: what a worker tells about a customer or its grants floats between the other events,
and the state is told once for several changes. These are compared as a set, with the last state.
"""

from collections.abc import Callable
from typing import Any

import pytest

from polar_emulator.catalogue import stable_id
from polar_emulator.store import Doc
from tests.polar_emulator import recorded
from tests.polar_emulator.inside import Inside

FLOATING = ("customer.created", "customer.updated", "customer.state_changed", "benefit_grant.")
MEANING = ("status", "billing_reason", "cancel_at_period_end")
# The recorded plans shared their one benefit, the demo's have different ones.
WITHOUT_GRANTS = ("09-", "10-")
Story = Callable[[Inside], None]


def opened(here: Inside, product: str, user: str = "user_1", **more: Any) -> Doc:
    wanted = {
        "products": [stable_id("product", product)],
        "external_customer_id": user,
        "customer_email": f"{user}@example.com",
        **more,
    }
    found: Doc = here.call("POST", "/v1/checkouts/", wanted, 201)
    return found


def confirmed(here: Inside, checkout: Doc, token: str = "ctoken_pays", status: int = 200) -> None:
    buyer = {
        "customer_name": "Jane Doe",
        "customer_billing_address": {"country": "US"},
        "confirmation_token_id": token,
    }
    path = f"/v1/checkouts/client/{checkout['client_secret']}/confirm"
    here.call("POST", path, buyer, status)
    here.settle()


def bought(product: str) -> Story:
    def story(here: Inside) -> None:
        confirmed(here, opened(here, product))

    return story


def after(setup: Story, story: Story) -> Story:
    """A story whose beginning is not compared."""

    def both(here: Inside) -> None:
        setup(here)
        here.payloads()
        story(here)

    return both


def change(**body: Any) -> Story:
    return lambda here: here.change(body)


def passing(*days: float) -> Story:
    def story(here: Inside) -> None:
        for some in days:
            here.advance(some)

    return story


def in_turn(*stories: Story) -> Story:
    def story(here: Inside) -> None:
        for part in stories:
            part(here)
            here.settle()

    return story


def declined_then_paid(here: Inside) -> None:
    checkout = opened(here, "Pro Monthly")
    confirmed(here, checkout, "ctoken_declined", 400)
    confirmed(here, checkout)


def revoked(here: Inside) -> None:
    here.call("DELETE", f"/v1/subscriptions/{here.subscription()['id']}")


def failing_later(here: Inside) -> None:
    here.buy(token="ctoken_fails_later")


def refunded(here: Inside) -> None:
    order = here.orders()[0]
    amount = 1000 if order["billing_reason"] == "purchase" else order["net_amount"]
    body = {"order_id": order["id"], "amount": amount, "reason": "customer_request"}
    here.call("POST", "/v1/refunds/", body, 201)


def two_buyers(here: Inside) -> None:
    here.buy()
    here.buy("Free", "user_2")


def invoices(here: Inside) -> None:
    for user in ("user_1", "user_2"):
        here.call("POST", f"/v1/orders/{here.orders(user)[0]['id']}/invoice", None, 202)
        here.settle()


def customer(**fields: Any) -> Story:
    def story(here: Inside) -> None:
        here.call("POST", "/v1/customers/", {"email": "crud@example.com", **fields}, 201)

    return story


def renamed(name: str, user: str = "crud_1") -> Story:
    def story(here: Inside) -> None:
        here.call("PATCH", f"/v1/customers/external/{user}", {"name": name})

    return story


def deleted(here: Inside) -> None:
    here.call("DELETE", "/v1/customers/external/crud_1", None, 204)


def created_and_renamed_at_once(here: Inside) -> None:
    here.call("POST", "/v1/customers/", {"email": "b@example.com", "external_id": "b"}, 201)
    renamed("At once", "b")(here)


def known_email(here: Inside) -> None:
    opened(here, "Pro Monthly", "new", customer_email="crud@example.com")
    confirmed(here, opened(here, "Free", "new", customer_email="crud@example.com"))


def known_email_alone(here: Inside) -> None:
    customer()(here)
    here.settle()
    confirmed(here, opened(here, "Free", "new", customer_email="crud@example.com"))


def free_gift(here: Inside) -> None:
    """A subscriber takes something free of charge, and names another address."""
    price = {"amount_type": "free"}
    gift = here.call("POST", "/v1/products/", {"name": "Gift", "prices": [price]}, 201)["id"]
    here.payloads()
    opened(here, "Free", customer_email="other@example.com")
    checkout = opened(here, "Free", customer_email="other@example.com", products=[gift])
    confirmed(here, checkout)


def downgraded(here: Inside) -> None:
    price = {"amount_type": "fixed", "price_amount": 500, "price_currency": "usd"}
    body = {"name": "Basic", "prices": [price], "recurring_interval": "month"}
    key = here.call("POST", "/v1/products/", body, 201)["id"]
    here.payloads()
    here.change({"product_id": key, "proration_behavior": "prorate"})


def expired(here: Inside) -> None:
    opened(here, "Pro Monthly")
    here.advance(1.1)
    for user in ("a", "b", "c"):
        opened(here, "Pro Monthly", user)


PRO, TEAM = bought("Pro Monthly"), stable_id("product", "Team Monthly")
STORIES: dict[str, Story] = {
    "01-free-recurring-checkout-external-id": bought("Free"),
    "02-paid-monthly-checkout": declined_then_paid,
    "03-cancel-at-period-end-then-uncancel": after(
        PRO, in_turn(change(cancel_at_period_end=True), change(cancel_at_period_end=False))
    ),
    "04-renewal-success": after(PRO, passing(31)),
    "05-cancel-at-period-end-then-period-ends": after(
        PRO, in_turn(change(cancel_at_period_end=True), passing(31))
    ),
    "05a-setup-purchase-user3": PRO,
    "06-immediate-revoke": after(PRO, revoked),
    "06c-immediate-revoke-via-patch": after(PRO, change(revoke=True)),
    "07x-patch-with-empty-body": after(PRO, change()),
    "08-renewal-payment-failed-until-dunning-exhausted": after(
        failing_later, passing(31, 2.1, 5.1, 7.1, 7.1)
    ),
    "08z-renewal-payment-failed-first-attempt-only": after(failing_later, passing(31)),
    "09-plan-change-upgrade-invoice-now": after(
        PRO, change(product_id=TEAM, proration_behavior="invoice")
    ),
    "09a-setup-purchase-user7": PRO,
    "10-plan-change-downgrade-prorate": after(PRO, downgraded),
    "12-plan-change-next_period-then-pending-cleared": after(
        PRO,
        in_turn(
            change(product_id=TEAM, proration_behavior="next_period"), change(pending_update=None)
        ),
    ),
    "12f-plan-change-month-to-year-prorate": after(
        PRO, change(product_id=stable_id("product", "Pro Yearly"))
    ),
    "13a-setup-free-subscription": bought("Free"),
    "14-trial-start": bought("Team Monthly"),
    "17-one-time-purchase": bought("Lifetime"),
    "18-partial-refund": after(bought("Lifetime"), refunded),
    "20-full-refund-of-subscription-order": after(PRO, refunded),
    "22-invoice-generation": after(two_buyers, invoices),
    "23-customers-crud": in_turn(
        customer(external_id="crud_1"),
        renamed("A"),
        renamed("B"),
        created_and_renamed_at_once,
    ),
    "24-customer-deleted-without-subscription": after(
        customer(external_id="crud_1"), in_turn(deleted, customer(external_id="crud_1"))
    ),
    "26-checkout-new-external-id-but-known-email": after(customer(external_id="old"), known_email),
    "27-checkout-external-id-but-known-email-without-external-id": known_email_alone,
    "28-checkout-known-external-id-other-email": after(PRO, free_gift),
    "31-checkout-expired": expired,
}


def row(event: Doc) -> Doc:
    """An event as the recordings were summed up."""
    data = event["data"]
    found = {"type": event["type"], **{name: data[name] for name in MEANING if name in data}}
    if event["type"] == "customer.state_changed":
        found["active_subscriptions"] = [held["status"] for held in data["active_subscriptions"]]
        found["deleted"] = bool(data["deleted_at"])
    return found


def meaning(name: str, rows: list[Doc]) -> tuple[list[Doc], set[str], list[Doc]]:
    """What has to be the same: the firm order, what floats in between, and the last state."""
    wanted = ("type", *MEANING, "active_subscriptions", "deleted")
    kept = [{key: found[key] for key in wanted if key in found} for found in rows]
    firm = [found for found in kept if not found["type"].startswith(FLOATING)]
    floating = {found["type"] for found in kept if found["type"].startswith(FLOATING)}
    if name.startswith(WITHOUT_GRANTS):
        floating = {found for found in floating if not found.startswith("benefit_grant.")}
    states = [found for found in kept if found["type"] == "customer.state_changed"]
    return firm, floating, states[-1:]


@pytest.mark.parametrize("name", recorded.scenarios())
def test_scenario(name: str) -> None:
    here = Inside()
    STORIES[name](here)
    ours = meaning(name, [row(event) for event in here.payloads()])
    was = meaning(name, recorded.scenario(name))
    assert ours == was
