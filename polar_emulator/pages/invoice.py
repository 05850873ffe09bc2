"""Invoices: a small real PDF, written by hand."""

from __future__ import annotations

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue

from polar_emulator.api.wire import world
from polar_emulator.pages.wording import date, money
from polar_emulator.store import Doc

invoices = Blueprint("invoices", __name__)

LINE_HEIGHT = 20


@invoices.get("/invoices/<key>/<name>")
def show(key: str, name: str) -> ResponseReturnValue:
    """The invoice of an order that has one."""
    order = world().store.get("order", key)
    if order is None or not order["is_invoice_generated"]:
        abort(404)
    disposition = f'inline; filename="Invoice-{order["invoice_number"]}.pdf"'
    headers = {"Content-Disposition": disposition}
    return Response(pdf(_lines(order)), headers=headers, content_type="application/pdf")


def pdf(lines: list[tuple[int, str]]) -> bytes:
    """A one-page PDF with lines of a size and a text each; an empty text is a gap."""
    commands, top = ["BT"], 780
    for size, text in lines:
        top -= LINE_HEIGHT + (size - 11)
        commands.append(f"/F1 {size} Tf 1 0 0 1 60 {top} Tm ({_escaped(text)}) Tj")
    stream = "\n".join([*commands, "ET"]).encode("cp1252", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    return _assembled(objects)


def _lines(order: Doc) -> list[tuple[int, str]]:
    seller = world().organization
    buyer = world().store.need("customer", order["customer_id"])
    currency = order["currency"]
    items = [(11, f"{item['label']}: {money(item['amount'], currency)}") for item in order["items"]]
    return [
        (20, f"Invoice {order['invoice_number']}"),
        (11, "Local Polar: test mode, no money moves"),
        (11, ""),
        (11, f"From: {seller['name']}"),
        (11, f"To: {order['billing_name'] or buyer['email']}, {buyer['email']}"),
        (11, f"Date: {date(order['created_at'])}"),
        (11, ""),
        *items,
        (11, ""),
        (11, f"Net: {money(order['net_amount'], currency)}"),
        (11, f"Tax: {money(order['tax_amount'], currency)}"),
        (14, f"Total: {money(order['total_amount'], currency)}"),
    ]


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _assembled(objects: list[bytes]) -> bytes:
    parts, places = [b"%PDF-1.4\n"], []
    for number, body in enumerate(objects, start=1):
        places.append(sum(map(len, parts)))
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = sum(map(len, parts))
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table))
    parts.append(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, start))
    return b"".join(parts)
