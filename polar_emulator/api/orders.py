"""/v1/orders and their invoices."""

from __future__ import annotations

from typing import Any

from flask import Response

from polar_emulator.api.gate import api
from polar_emulator.api.wire import answer, by_customer, equals, found, listing, metadata, world
from polar_emulator.rules import orders as rules
from polar_emulator.shapes import purchases as shapes
from polar_emulator.store import Doc


@api.get("/v1/orders/")
def orders() -> Response:
    """Orders, newest first."""
    names = ("product_id", "status", "checkout_id", "subscription_id", "discount_id")
    where = {**equals(*names), **by_customer(), **metadata()}
    return listing("order", where, _shown)


@api.get("/v1/orders/<key>")
def order(key: str) -> Response:
    """An order."""
    return answer(_shown(found("order", key)))


@api.post("/v1/orders/<key>/invoice")
def generate_invoice(key: str) -> Response:
    """Have the invoice rendered; `order.updated` tells when it is there."""
    rules.request_invoice(world(), found("order", key))
    return answer(None, 202)


@api.get("/v1/orders/<key>/invoice")
def invoice(key: str) -> Response:
    """Where the invoice is."""
    return answer({"url": rules.invoice_url(world(), found("order", key))})


def _shown(doc: Doc) -> dict[str, Any]:
    return shapes.order(world(), doc)
