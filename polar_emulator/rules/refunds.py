"""Refunds: amounts without tax, the tax in proportion, and what they do to orders and grants."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from polar_emulator import jobs
from polar_emulator.errors import RefundedAlready, RevokeProhibited, impossible
from polar_emulator.events import emit
from polar_emulator.rules import grants
from polar_emulator.rules.money import round_half_up
from polar_emulator.shapes import purchases as shapes
from polar_emulator.store import Doc
from polar_emulator.world import World

REASONS = (
    "duplicate", "fraudulent", "customer_request", "service_disruption",
    "satisfaction_guarantee", "other",
)  # fmt: skip
PAID_STATUSES = ("paid", "partially_refunded")
TOO_HIGH = "Refund amount exceeds refundable amount"
# Recorded: two refund.updated follow, when the payment processor and the ledger have answered.
UPDATED_SECONDS = (0.8, 1.5)
REVOKED_SECONDS = 2.0


def create(world: World, wanted: dict[str, Any]) -> Doc:
    """Refund an order in part or in full; `amount` is without tax.

    RefundedAlready when nothing is left, RevokeProhibited for benefits of a subscription, RuleError
    for an unknown or unpaid order and for an amount that is too high.
    """
    order = world.store.get("order", wanted["order_id"])
    if order is None:
        raise impossible("order_id", "Order not found", wanted["order_id"])
    _check(order, wanted)
    amount = wanted["amount"]
    doc: Doc = {
        "id": world.new_id(),
        "created_at": world.stamp(),
        "modified_at": None,
        "metadata": wanted.get("metadata") or {},
        "status": "succeeded",
        "reason": wanted["reason"],
        "comment": wanted.get("comment"),
        "amount": amount,
        "tax_amount": _tax(order, amount),
        "currency": order["currency"],
        "organization_id": world.organization["id"],
        "order_id": order["id"],
        "subscription_id": order["subscription_id"],
        "customer_id": order["customer_id"],
        "revoke_benefits": bool(wanted.get("revoke_benefits")),
    }
    world.store.put("refund", doc)
    emit(world, "refund.created", shapes.refund(doc))
    _take_from(world, order, doc)
    if doc["tax_amount"]:
        world.touch("refund", doc)  # Recorded: its tax is settled after it has been told.
    for seconds in UPDATED_SECONDS:
        jobs.soon(world, "refund.update", seconds, refund_id=doc["id"])
    if doc["revoke_benefits"]:
        jobs.soon(world, "refund.revoke", REVOKED_SECONDS, order_id=order["id"])
    return doc


def update(world: World, arguments: Doc) -> None:
    """Job: the payment processor has something to say about a refund.

    Recorded: the event shows `modified_at` as it was before.
    """
    doc = world.store.need("refund", arguments["refund_id"])
    emit(world, "refund.updated", shapes.refund(doc))
    world.touch("refund", doc)


def revoke(world: World, arguments: Doc) -> None:
    """Job: the benefits of a refunded order end."""
    order = world.store.need("order", arguments["order_id"])
    world.store.put("order", {**order, "benefits_revoked": True})
    grants.follow_order(world, {"order_id": order["id"]})


def _check(order: Doc, wanted: dict[str, Any]) -> None:
    if order["status"] == "refunded":
        raise RefundedAlready(f"Order is already fully refunded: {order['id']}")
    if order["status"] not in PAID_STATUSES:
        raise impossible("order_id", "Order is not paid", order["id"])
    if wanted["amount"] > shapes.refundable(order):
        raise impossible("amount", TOO_HIGH, wanted["amount"])
    if wanted.get("revoke_benefits") and order["subscription_id"]:
        raise RevokeProhibited


def _tax(order: Doc, amount: int) -> int:
    """The tax that goes with an amount; the last refund takes what is left."""
    if amount == shapes.refundable(order):
        return int(order["tax_amount"] - order["refunded_tax_amount"])
    return round_half_up(Fraction(order["tax_amount"] * amount, order["net_amount"]))


def _take_from(world: World, order: Doc, refund: Doc) -> None:
    refunded = order["refunded_amount"] + refund["amount"]
    world.touch(
        "order",
        order,
        refunded_amount=refunded,
        refunded_tax_amount=order["refunded_tax_amount"] + refund["tax_amount"],
        status="refunded" if refunded >= order["net_amount"] else "partially_refunded",
    )
    for event in ("order.updated", "order.refunded"):
        emit(world, event, shapes.order(world, order))
