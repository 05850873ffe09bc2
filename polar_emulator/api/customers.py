"""/v1/customers, /v1/customer-sessions and /v1/benefit-grants."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response

from polar_emulator.api.catalogue import refuse_organization
from polar_emulator.api.fields import Fields
from polar_emulator.api.gate import api
from polar_emulator.api.wire import (
    answer,
    body,
    by_customer,
    containing,
    equals,
    flag,
    found,
    listing,
    metadata,
    nothing,
    of_organization,
    world,
)
from polar_emulator.clock import stamp
from polar_emulator.errors import NotFound, SchemaError, impossible, problem
from polar_emulator.rules import customers as rules
from polar_emulator.rules.checkouts import random_secret
from polar_emulator.shapes import customers as shapes
from polar_emulator.store import Doc

SESSION_LIFETIME = timedelta(hours=1)
MEMBER_NEEDED = "CustomerSessionCustomerIDCreate", "CustomerSessionCustomerExternalIDCreate"


@api.get("/v1/customers/")
def customers() -> Response:
    """Customers, newest first. `email` is compared whatever its case; `query` looks at names and ids, too."""
    where = {**of_organization(), **metadata(), **containing("search"), "deleted_at": None}
    active = flag("active").get("active")
    if active is not None:
        where["id"] = rules.ids_by_activity(world(), active=active)
    email = equals("email").get("email")
    if email:
        where["email_key"] = [text.lower() for text in email]
    return listing("customer", where, shapes.customer)


@api.get("/v1/customers/<key>")
def customer(key: str) -> Response:
    """A customer."""
    return answer(shapes.customer(found("customer", key)))


@api.get("/v1/customers/external/<path:external_id>")
def external_customer(external_id: str) -> Response:
    """A customer by the merchant's id."""
    return answer(shapes.customer(_external(external_id)))


@api.get("/v1/customers/<key>/state")
def state(key: str) -> Response:
    """A customer with what is active now."""
    return answer(shapes.state(world(), found("customer", key)))


@api.get("/v1/customers/external/<path:external_id>/state")
def external_state(external_id: str) -> Response:
    """The same by the merchant's id."""
    return answer(shapes.state(world(), _external(external_id)))


@api.post("/v1/customers/")
def create_customer() -> Response:
    """A new customer."""
    given = body()
    refuse_organization(given)
    fields = _fields(given, "body", "individual")
    fields.need("email")
    if given.get("email", "") is None:
        fields.complain("string_type", "email", "Input should be a valid string", None)
    return answer(shapes.customer(rules.create(world(), fields.done())), 201)


@api.patch("/v1/customers/<key>")
def update_customer(key: str) -> Response:
    """Change a customer."""
    return _update(found("customer", key))


@api.patch("/v1/customers/external/<path:external_id>")
def update_external_customer(external_id: str) -> Response:
    """Change a customer by the merchant's id."""
    return _update(_external(external_id))


@api.delete("/v1/customers/<key>")
def delete_customer(key: str) -> Response:
    """Delete a customer; its subscriptions end."""
    rules.delete(world(), found("customer", key))
    return nothing()


@api.delete("/v1/customers/external/<path:external_id>")
def delete_external_customer(external_id: str) -> Response:
    """Delete a customer by the merchant's id."""
    rules.delete(world(), _external(external_id))
    return nothing()


@api.post("/v1/customer-sessions/")
def create_session() -> Response:
    """A portal session for a customer, good for an hour. An unknown customer is 422, not 404."""
    given = body()
    refuse_organization(given)
    owner = _session_owner(given)
    fields = Fields(given)
    fields.url("return_url")
    now = world().now()
    doc: Doc = {
        "id": world().new_id(),
        "created_at": stamp(now),
        "secret": random_secret("polar_mst_"),
        "expires_at": stamp(now + SESSION_LIFETIME),
        "return_url": fields.done().get("return_url"),
        "customer_id": owner["id"],
    }
    world().store.put("customer_session", doc)
    return answer(shapes.session(world(), doc), 201)


@api.get("/v1/benefit-grants/")
def grants() -> Response:
    """Benefit grants, newest first."""
    where = {**of_organization(), **equals("benefit_id"), **by_customer(), **flag("is_granted")}
    return listing("benefit_grant", where, lambda doc: shapes.grant(world(), doc))


@api.get("/v1/benefits/<key>/grants")
def grants_of_benefit(key: str) -> Response:
    """Grants of one benefit."""
    where = {"benefit_id": found("benefit", key)["id"], **by_customer(), **flag("is_granted")}
    return listing("benefit_grant", where, lambda doc: shapes.grant(world(), doc))


def _external(external_id: str) -> Doc:
    doc = rules.by_external_id(world(), external_id)
    if doc is None:
        raise NotFound
    return doc


def _update(doc: Doc) -> Response:
    changes = _fields(body(), "body").done()
    return answer(shapes.customer(rules.update(world(), doc, changes)))


def _fields(given: dict[str, Any], *where: str) -> Fields:
    fields = Fields(given, *where)
    fields.metadata("metadata")
    fields.email("email")
    fields.text("external_id", empty=False)
    fields.text("name", longest=256)
    fields.address("billing_address")
    fields.text("locale")
    return fields


def _session_owner(given: dict[str, Any]) -> Doc:
    if given.get("customer_id") is not None:
        fields = Fields(given)
        fields.uuid("customer_id")
        fields.done()
        owner = world().store.get("customer", given["customer_id"])
        if owner is None or owner["deleted_at"]:
            raise impossible("customer_id", "Customer does not exist.", given["customer_id"])
        return owner
    if given.get("external_customer_id") is not None:
        owner = rules.by_external_id(world(), str(given["external_customer_id"]))
        if owner is None:
            key = given["external_customer_id"]
            raise impossible("external_customer_id", "Customer does not exist.", key)
        return owner
    by_id, by_external = MEMBER_NEEDED
    raise SchemaError(
        [
            problem("missing", ("body", by_id, "customer_id"), "Field required", given),
            problem(
                "missing", ("body", by_external, "external_customer_id"), "Field required", given
            ),
        ]
    )
