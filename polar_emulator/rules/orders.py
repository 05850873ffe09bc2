"""Orders: making them, marking them paid, their invoices."""

from __future__ import annotations

import hashlib
from typing import Any

from polar_emulator import jobs
from polar_emulator.errors import InvoiceDoesNotExist, NotFound, OrderNotEligibleForInvoice
from polar_emulator.events import emit
from polar_emulator.rules.money import Tax, platform_fee
from polar_emulator.shapes import purchases as shapes
from polar_emulator.store import Doc
from polar_emulator.world import World

# Recorded: the platform fee follows order.paid by 1 to 4 s, an invoice is rendered in less than one.
FEE_SECONDS = 3.0
PAYMENT_SECONDS = 0.6
INVOICE_SECONDS = 0.4
INVOICED_STATUSES = ("paid", "partially_refunded", "refunded")


def item(world: World, label: str, amount: int, price_id: str | None, **more: Any) -> Doc:
    """A line of an order. `start_timestamp` and `end_timestamp` say which period it is for."""
    return {
        "created_at": world.stamp(),
        "modified_at": None,
        "id": world.new_id(),
        "label": label,
        "amount": amount,
        "tax_amount": 0,
        "proration": more.get("proration", False),
        "product_price_id": price_id,
        "start_timestamp": more.get("start"),
        "end_timestamp": more.get("end"),
    }


def create(
    world: World,
    customer: Doc,
    product: Doc,
    reason: str,
    items: list[Doc],
    tax: Tax,
    **links: Any,
) -> Doc:
    """A pending order. `links` are price, currency, metadata, discount and the ids of what it belongs to."""
    applied = _apply_balance(customer, tax.total)
    world.touch("customer", customer, orders=customer["orders"] + 1)
    price = links.get("price")
    doc: Doc = {
        "id": world.new_id(),
        "created_at": world.stamp(),
        "modified_at": None,
        "status": "pending",
        "paid": False,
        "subtotal_amount": sum(line["amount"] for line in items),
        "discount_amount": links.get("discount_amount", 0),
        "net_amount": tax.net,
        "tax_amount": tax.tax or 0,
        "total_amount": tax.total,
        "applied_balance_amount": -applied,
        "due_amount": max(tax.total - applied, 0),
        "refunded_amount": 0,
        "refunded_tax_amount": 0,
        "currency": links["currency"],
        "billing_reason": reason,
        "billing_name": customer["billing_name"],
        "billing_address": customer["billing_address"],
        "invoice_number": _invoice_number(world, customer),
        "is_invoice_generated": False,
        "receipt_number": None,
        "seats": None,
        "units": None,
        "customer_id": customer["id"],
        "product_id": product["id"],
        "product_price_id": price["id"] if price else None,
        "price": price,
        "discount_id": links.get("discount_id"),
        "subscription_id": links.get("subscription_id"),
        "checkout_id": links.get("checkout_id"),
        "next_payment_attempt_at": None,
        "failed_attempts": 0,
        "metadata": links.get("metadata") or {},
        "custom_field_data": {},
        "platform_fee_amount": 0,
        "platform_fee_currency": None,
        "items": items,
    }
    return world.store.put("order", doc)


def tell_paid_at_once(world: World, order: Doc) -> None:
    """An order that a checkout paid: created, updated and paid come together."""
    modified_at = world.stamp() if order["total_amount"] else None
    order.update(status="paid", paid=True, modified_at=modified_at)
    world.store.put("order", order)
    emit(world, "order.created", shapes.order(world, order))
    emit(world, "order.updated", shapes.order(world, order))
    _tell_paid(world, order)


def tell_pending(world: World, order: Doc) -> None:
    """An order that is charged to a card on file: pending now, paid a moment later."""
    emit(world, "order.created", shapes.order(world, order))
    jobs.soon(world, "order.charge", PAYMENT_SECONDS, order_id=order["id"])


def mark_paid(world: World, order: Doc, *, fee_seconds: float = FEE_SECONDS) -> None:
    """A pending order has been paid."""
    world.touch("order", order, status="paid", paid=True, next_payment_attempt_at=None)
    emit(world, "order.updated", shapes.order(world, order))
    _tell_paid(world, order, fee_seconds)


def settle_fee(world: World, arguments: Doc) -> None:
    """Job: the platform's fee is known."""
    order = world.store.need("order", arguments["order_id"])
    fee = platform_fee(order["total_amount"])
    world.touch("order", order, platform_fee_amount=fee, platform_fee_currency=order["currency"])
    emit(world, "order.updated", shapes.order(world, order))


def request_invoice(world: World, order: Doc) -> None:
    """Have the invoice of an order rendered shortly; asking again renders it again.

    OrderNotEligibleForInvoice as long as it is not paid.
    """
    if order["status"] not in INVOICED_STATUSES:
        raise OrderNotEligibleForInvoice
    jobs.soon(world, "order.invoice", INVOICE_SECONDS, order_id=order["id"])


def render_invoice(world: World, arguments: Doc) -> None:
    """Job: the invoice is there."""
    order = world.store.need("order", arguments["order_id"])
    world.touch("order", order, is_invoice_generated=True)
    emit(world, "order.updated", shapes.order(world, order))


def invoice_url(world: World, order: Doc) -> str:
    """Where the invoice is. InvoiceDoesNotExist as long as there is none."""
    if not order["is_invoice_generated"]:
        raise InvoiceDoesNotExist(f"No invoice exists for order {order['id']}.")
    return f"{world.public_url}/invoices/{order['id']}/Invoice-{order['invoice_number']}.pdf"


def update(world: World, order: Doc, changes: dict[str, Any]) -> None:
    """Change the name and the address on an order."""
    names = ("billing_name", "billing_address")
    world.touch("order", order, **{name: changes[name] for name in names if name in changes})
    emit(world, "order.updated", shapes.order(world, order))


def receipt_url(world: World, order: Doc) -> str | None:
    """Where the receipt is; None while it is being made, which the first question starts.

    NotFound for an order that has no receipt because nothing was paid.
    """
    if not order["receipt_number"]:
        raise NotFound
    if not order.get("receipt_asked_at"):
        world.store.put("order", {**order, "receipt_asked_at": world.stamp()})
        jobs.soon(world, "order.receipt", INVOICE_SECONDS, order_id=order["id"])
    if not order.get("is_receipt_generated"):
        return None
    return f"{world.public_url}/receipts/{order['id']}/Receipt-{order['receipt_number']}.pdf"


def render_receipt(world: World, arguments: Doc) -> None:
    """Job: the receipt is there."""
    order = world.store.need("order", arguments["order_id"])
    world.store.put("order", {**order, "is_receipt_generated": True})


def _tell_paid(world: World, order: Doc, fee_seconds: float = FEE_SECONDS) -> None:
    if order["total_amount"] > 0:
        number = order["invoice_number"].removeprefix(f"{world.organization['slug'].upper()}-")
        world.touch("order", order, receipt_number=f"RCPT-{number}")
        jobs.soon(world, "order.fee", fee_seconds, order_id=order["id"])
    emit(world, "order.paid", shapes.order(world, order))


def _apply_balance(customer: Doc, total: int) -> int:
    """Use what the customer has to their credit for an order, or note a new credit. Returns what is used."""
    balance = customer.get("balance", 0)
    used = min(balance, total) if total > 0 else 0
    customer["balance"] = balance - used + max(-total, 0)
    return used


def _invoice_number(world: World, customer: Doc) -> str:
    digest = hashlib.sha256(customer["id"].encode()).digest()
    letters = "".join(chr(ord("A") + byte % 26) for byte in digest[:10])
    return f"{world.organization['slug'].upper()}-{letters}-{customer['orders']:04d}"
