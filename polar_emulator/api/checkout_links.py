"""/v1/checkout-links, and the address behind each link."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue

from polar_emulator.api.catalogue import INTERVALS, refuse_organization
from polar_emulator.api.fields import Fields
from polar_emulator.api.gate import api
from polar_emulator.api.wire import answer, body, equals, found, listing, nothing, world
from polar_emulator.errors import ApiError, NotFound
from polar_emulator.rules import checkout_links as rules
from polar_emulator.rules import checkout_updates
from polar_emulator.shapes import checkout_links as shapes
from polar_emulator.store import Doc


@api.get("/v1/checkout-links/")
def checkout_links() -> Response:
    """Checkout links, newest first."""
    where = {**equals("organization_id"), "is_deleted": False}
    return listing("checkout_link", where, _shown)


@api.get("/v1/checkout-links/<key>")
def checkout_link(key: str) -> Response:
    """A checkout link."""
    return answer(_shown(found("checkout_link", key)))


@api.post("/v1/checkout-links/")
def create_checkout_link() -> Response:
    """A new link to one or several products."""
    given = body()
    refuse_organization(given)
    fields = _fields(_with_products(given))
    if fields.need("products"):
        fields.uuids("products", least=1)
    return answer(_shown(rules.create(world(), fields.done())), 201)


@api.patch("/v1/checkout-links/<key>")
def update_checkout_link(key: str) -> Response:
    """Change a link."""
    doc = found("checkout_link", key)
    fields = _fields(body())
    if fields.body.get("products") is not None:
        fields.uuids("products", least=1)
    return answer(_shown(rules.update(world(), doc, fields.done())))


@api.delete("/v1/checkout-links/<key>")
def delete_checkout_link(key: str) -> Response:
    """Forget a link."""
    rules.delete(world(), found("checkout_link", key))
    return nothing()


@api.get("/v1/checkout-links/<secret>/redirect")
def follow_checkout_link(secret: str) -> ResponseReturnValue:
    """Open a checkout and send the visitor to it. A code that is not valid is left out."""
    doc = world().store.first("checkout_link", {"secret": secret, "is_deleted": False})
    if doc is None:
        raise NotFound
    checkout = rules.follow(world(), doc, request.args.to_dict())
    if code := request.args.get("discount_code"):
        _try_code(checkout, code)
    return redirect(checkout["url"], 307)


def _try_code(checkout: Doc, code: str) -> None:
    try:
        checkout_updates.by_buyer(world(), checkout, {"discount_code": code})
    except ApiError:
        return


def _with_products(given: dict[str, Any]) -> dict[str, Any]:
    """The body with `products`, however the product was named."""
    if "products" in given:
        return given
    if "product_id" in given:
        return {**given, "products": [given["product_id"]]}
    for product in world().store.find("product") if "product_price_id" in given else []:
        if given["product_price_id"] in [price["id"] for price in product["prices"]]:
            return {**given, "products": [product["id"]]}
    return given


def _shown(doc: Doc) -> dict[str, Any]:
    return shapes.checkout_link(world(), doc)


def _fields(given: dict[str, Any]) -> Fields:
    fields = Fields(given)
    fields.metadata("metadata")
    fields.text("label")
    fields.choice("trial_interval", INTERVALS)
    fields.integer("trial_interval_count", least=1, most=1000)
    for name in ("allow_discount_codes", "require_billing_address"):
        fields.boolean(name)
    fields.uuid("discount_id")
    for name in ("success_url", "return_url"):
        fields.url(name)
    return fields
