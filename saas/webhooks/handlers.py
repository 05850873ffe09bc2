"""What each event of Polar changes here, or why it changes nothing. One plain table.

A handler takes the ``data`` of an event and its ``timestamp`` and ends in ``billing.sync``, which keeps the
newer snapshot; so order and repetition do not matter. To react to an event, change its line.
"""

from collections.abc import Callable
from datetime import datetime

from saas.billing import sync

Handler = Callable[[object, datetime], object]

NOT_ENTITLEMENT = "It says nothing about what a customer may use."
ORDER_TELLS = "The order it belongs to sends order.updated with the new amounts and status."
CHECKOUT_ASKED = (
    "The confirmation page asks Polar itself; subscription and order events do the rest."
)
SEATS_UNUSED = "The starter sells to persons, not seats; subscription events carry the plan."
DISCOUNT_INSIDE = "A discount is worked out by Polar and arrives inside amounts."

TABLE: dict[str, Handler | str] = {
    "checkout.created": CHECKOUT_ASKED,
    "checkout.updated": CHECKOUT_ASKED,
    "checkout.expired": CHECKOUT_ASKED,
    "customer.created": sync.put_customer,
    "customer.updated": sync.put_customer,
    "customer.deleted": sync.put_customer,
    # The lists inside a state leave out past-due and paused subscriptions; their own events do not.
    "customer.state_changed": sync.put_customer,
    "customer_seat.assigned": SEATS_UNUSED,
    "customer_seat.claimed": SEATS_UNUSED,
    "customer_seat.revoked": SEATS_UNUSED,
    "member.created": SEATS_UNUSED,
    "member.updated": SEATS_UNUSED,
    "member.deleted": SEATS_UNUSED,
    "order.created": sync.put_order,
    "order.updated": sync.put_order,
    "order.paid": sync.put_order,
    "order.refunded": sync.put_order,
    "refund.created": ORDER_TELLS,
    "refund.updated": ORDER_TELLS,
    "subscription.created": sync.put_subscription,
    "subscription.updated": sync.put_subscription,
    "subscription.active": sync.put_subscription,
    "subscription.canceled": sync.put_subscription,
    "subscription.uncanceled": sync.put_subscription,
    "subscription.cycled": sync.put_subscription,
    "subscription.revoked": sync.put_subscription,
    "subscription.past_due": sync.put_subscription,
    "subscription.paused": sync.put_subscription,
    "subscription.resumed": sync.put_subscription,
    "subscription.migrated": sync.put_subscription,
    "product.created": sync.put_product,
    "product.updated": sync.put_product,
    "benefit.created": sync.put_benefit,
    "benefit.updated": sync.put_benefit,
    "benefit_grant.created": sync.put_grant,
    "benefit_grant.updated": sync.put_grant,
    "benefit_grant.cycled": sync.put_grant,
    "benefit_grant.revoked": sync.put_grant,
    "discount.created": DISCOUNT_INSIDE,
    "discount.updated": DISCOUNT_INSIDE,
    "discount.deleted": DISCOUNT_INSIDE,
    "organization.updated": NOT_ENTITLEMENT,
}


def handle(event: dict[str, object], observed_at: datetime) -> str:
    """Apply an event and return its outcome: ``applied``, ``ignored`` or ``unknown``.

    Raises ``PayloadError`` when the data is not what Polar documents.
    """
    handler = TABLE.get(str(event.get("type")))
    if handler is None:
        return "unknown"
    if isinstance(handler, str):
        return "ignored"
    handler(event.get("data"), observed_at)
    return "applied"
