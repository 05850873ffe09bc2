"""/v1/checkouts/client: a checkout for its buyer's browser, without a token."""

from __future__ import annotations

from flask import Response

from polar_emulator.api.fields import Fields
from polar_emulator.api.gate import api
from polar_emulator.api.wire import answer, body, world
from polar_emulator.errors import NotFound
from polar_emulator.rules import checkout_updates, confirmation
from polar_emulator.rules import checkouts as rules
from polar_emulator.shapes import purchases as shapes
from polar_emulator.store import Doc


@api.get("/v1/checkouts/client/<secret>")
def client_checkout(secret: str) -> Response:
    """A checkout as its buyer sees it; 410 when it has expired."""
    doc = _by_secret(secret)
    if doc["status"] in ("open", "expired"):
        checkout_updates.check_open(world(), doc)
    return answer(shapes.public_checkout(world(), doc))


@api.patch("/v1/checkouts/client/<secret>")
def update_client_checkout(secret: str) -> Response:
    """Another product, a discount code, an address: the answer has the new totals."""
    doc = _by_secret(secret)
    doc = checkout_updates.by_buyer(world(), doc, buyer_fields(Fields(body())).done())
    return answer(shapes.public_checkout(world(), doc))


@api.post("/v1/checkouts/client/<secret>/confirm")
def confirm_checkout(secret: str) -> Response:
    """Pay. `confirmation_token_id` with `decline` in it stands for a declined card."""
    doc = _by_secret(secret)
    fields = buyer_fields(Fields(body()))
    fields.text("confirmation_token_id")
    linked = doc["customer_id"] is not None
    doc = confirmation.confirm(world(), doc, fields.done())
    shown = shapes.public_checkout(world(), doc)
    return answer({**shown, "customer_session_token": _session_token(doc, linked=linked)})


def buyer_fields(fields: Fields) -> Fields:
    """What buyers and merchants can change of an open checkout."""
    fields.email("customer_email")
    for name in ("customer_billing_name", "discount_code", "locale"):
        fields.text(name)
    fields.text("customer_name", longest=256)
    fields.address("customer_billing_address")
    fields.uuid("product_id")
    fields.integer("amount")
    return fields


def _by_secret(secret: str) -> Doc:
    doc = rules.by_secret(world(), secret)
    if doc is None:
        raise NotFound
    return doc


def _session_token(doc: Doc, *, linked: bool) -> str | None:
    """A portal session for the buyer, unless the checkout was attached to an older customer."""
    owner = world().store.need("customer", doc["customer_id"])
    if not linked and owner["external_id"] != doc["external_customer_id"]:
        return None
    return rules.random_secret("polar_cst_")
