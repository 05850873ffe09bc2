"""/v1/orders with their invoices and receipts."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, request

from polar_emulator.api.fields import Fields
from polar_emulator.api.gate import api
from polar_emulator.api.wire import (
    answer,
    between,
    body,
    by_customer,
    equals,
    found,
    listing,
    metadata,
    of_organization,
    world,
)
from polar_emulator.pages.invoice import pdf
from polar_emulator.pages.wording import money
from polar_emulator.rules import orders as rules
from polar_emulator.shapes import purchases as shapes
from polar_emulator.store import Doc

# The kinds of products that orders are listed by, and what is missing or not in theirs.
BILLING_TYPES = {"one_time": "subscription_id", "recurring": "subscription_id !="}


@api.get("/v1/orders/")
def orders() -> Response:
    """Orders, newest first."""
    names = ("product_id", "status", "checkout_id", "subscription_id", "discount_id")
    where = {
        **of_organization(),
        **equals(*names),
        **by_customer(),
        **metadata(),
        **between("created_at", "created_after", "created_before"),
    }
    kind = request.args.get("product_billing_type")
    if kind in BILLING_TYPES:
        where[BILLING_TYPES[kind]] = None
    return listing("order", where, _shown)


@api.get("/v1/orders/<key>")
def order(key: str) -> Response:
    """An order."""
    return answer(_shown(found("order", key)))


@api.patch("/v1/orders/<key>")
def update_order(key: str) -> Response:
    """Change the name and the address on an order."""
    doc = found("order", key)
    fields = Fields(body())
    fields.text("billing_name")
    fields.address("billing_address")
    rules.update(world(), doc, fields.done())
    return answer(_shown(doc))


@api.post("/v1/orders/<key>/invoice")
def generate_invoice(key: str) -> Response:
    """Have the invoice rendered; `order.updated` tells when it is there."""
    rules.request_invoice(world(), found("order", key))
    return answer(None, 202)


@api.get("/v1/orders/<key>/invoice")
def invoice(key: str) -> Response:
    """Where the invoice is."""
    return answer({"url": rules.invoice_url(world(), found("order", key))})


@api.get("/v1/orders/<key>/receipt")
def receipt(key: str) -> Response:
    """Where the receipt is; 202 without a body while it is being made."""
    url = rules.receipt_url(world(), found("order", key))
    if url is not None:
        return answer({"url": url})
    pending = Response(status=202)
    pending.headers.pop("Content-Type", None)
    return pending


@api.get("/receipts/<key>/<name>")
def receipt_file(key: str, name: str) -> Response:
    """The receipt itself, a PDF."""
    order = world().store.get("order", key)
    if order is None or not order.get("is_receipt_generated"):
        abort(404)
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(pdf(_receipt_lines(order)), headers=headers, content_type="application/pdf")


def _receipt_lines(order: Doc) -> list[tuple[int, str]]:
    paid = money(order["due_amount"], order["currency"])
    return [
        (18, f"Receipt {order['receipt_number']}"),
        (11, f"Invoice {order['invoice_number']}"),
        (11, ""),
        *((11, line["label"]) for line in order["items"]),
        (11, ""),
        (11, f"Paid: {paid}"),
    ]


def _shown(doc: Doc) -> dict[str, Any]:
    return shapes.order(world(), doc)
