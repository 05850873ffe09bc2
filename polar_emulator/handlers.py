"""What runs later: the one table from the name of a job to the rule behind it."""

from __future__ import annotations

from polar_emulator.jobs import Handlers
from polar_emulator.rules import (
    checkouts,
    confirmation,
    customers,
    dunning,
    endings,
    grants,
    meters,
    orders,
    pauses,
    period_ends,
    refunds,
    usage,
)

HANDLERS: Handlers = {
    "checkout.expire": checkouts.expire,
    "checkout.process": confirmation.process,
    "customer.end_purchases": endings.end_purchases,
    "customer.state": customers.tell_state,
    "customer.tell": customers.tell,
    "grants.order": grants.follow_order,
    "grants.subscription": grants.follow_subscription,
    "meters.follow": meters.follow,
    "order.charge": dunning.charge,
    "order.fee": orders.settle_fee,
    "order.invoice": orders.render_invoice,
    "order.receipt": orders.render_receipt,
    "order.retry": dunning.retry,
    "order.void": dunning.void,
    "refund.revoke": refunds.revoke,
    "refund.update": refunds.update,
    "subscription.period_over": period_ends.period_over,
    "subscription.resume": pauses.resume_when_due,
    "usage.adopt": usage.adopt_for,
}
