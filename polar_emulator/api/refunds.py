"""/v1/refunds."""

from __future__ import annotations

from flask import Response

from polar_emulator.api.fields import Fields
from polar_emulator.api.gate import api
from polar_emulator.api.wire import answer, body, by_customer, equals, flag, listing, world
from polar_emulator.rules import refunds as rules
from polar_emulator.shapes import purchases as shapes


@api.get("/v1/refunds/")
def refunds() -> Response:
    """Refunds, newest first."""
    names = ("id", "organization_id", "order_id", "subscription_id")
    where = {**equals(*names), **by_customer()}
    succeeded = flag("succeeded").get("succeeded")
    if succeeded is not None:
        where["status"] = ["succeeded"] if succeeded else ["pending", "failed", "canceled"]
    return listing("refund", where, shapes.refund)


@api.post("/v1/refunds/")
def create_refund() -> Response:
    """Refund an order, in part or in full."""
    fields = Fields(body())
    if fields.need("order_id"):
        fields.uuid("order_id", null=False)
    if fields.need("reason"):
        fields.choice("reason", rules.REASONS, null=False)
    if fields.need("amount"):
        fields.positive("amount")
    fields.text("comment")
    fields.boolean("revoke_benefits")
    fields.metadata("metadata")
    return answer(shapes.refund(rules.create(world(), fields.done())), 201)
