"""Customers: who they are, how a checkout finds them, what is told about them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from polar_emulator import jobs
from polar_emulator.clock import parse, stamp
from polar_emulator.errors import Problem, RuleError, impossible, problem
from polar_emulator.events import emit
from polar_emulator.shapes import customers as shapes
from polar_emulator.store import Doc
from polar_emulator.world import World

# Recorded: customer.created follows the request by 0.1 to 0.5 s, the state lags 1 to 5 s.
TOLD_AFTER_SECONDS = 0.25
STATE_QUIET_SECONDS = 1.5
STATE_LONGEST_SECONDS = 5.0
EMAIL_TAKEN = "A customer with this email address already exists."
EXTERNAL_ID_TAKEN = "A customer with this external ID already exists."


def by_email(world: World, email: str | None) -> Doc | None:
    """The customer with this address, whatever the case."""
    return world.store.first("customer", {"email_key": email.lower()}) if email else None


def by_external_id(world: World, external_id: str | None) -> Doc | None:
    """The customer with this id of the merchant's."""
    if not external_id:
        return None
    return world.store.first("customer", {"external_id": external_id, "deleted_at": None})


def create(world: World, fields: dict[str, Any]) -> Doc:
    """A new customer, unique by e-mail and by external id. RuleError names each that is taken."""
    problems: list[Problem] = []
    email, external_id = fields["email"], fields.get("external_id")
    if by_email(world, email):
        problems.append(problem("value_error", ("body", "email"), EMAIL_TAKEN, email))
    if by_external_id(world, external_id):
        where = ("body", "external_id")
        problems.append(problem("value_error", where, EXTERNAL_ID_TAKEN, external_id))
    if problems:
        raise RuleError(problems)
    doc = add(world, fields)
    emit(world, "member.created", shapes.member(doc))
    return doc


def add(world: World, fields: dict[str, Any]) -> Doc:
    """Keep a new customer and tell about it shortly; the caller sends `member.created`."""
    email: str = fields["email"]
    doc: Doc = {
        "id": world.new_id(),
        "created_at": world.stamp(),
        "modified_at": None,
        "metadata": fields.get("metadata") or {},
        "external_id": fields.get("external_id"),
        "email": email,
        "email_key": email.lower(),
        "email_verified": False,
        "type": "individual",
        "name": fields.get("name"),
        "billing_name": fields.get("own_billing_name") or fields.get("name"),
        "own_billing_name": fields.get("own_billing_name"),
        "billing_address": fields.get("billing_address"),
        "tax_id": fields.get("tax_id"),
        "locale": fields.get("locale"),
        "organization_id": world.organization["id"],
        "default_payment_method_id": None,
        "deleted_at": None,
        "first_user_event_at": None,
        "member_id": world.new_id(),
        "member": {
            "modified_at": None,
            "name": fields.get("name"),
            "external_id": fields.get("external_id"),
        },
        "orders": 0,
        "card": None,
    }
    doc["search"] = _search_text(doc)
    world.store.put("customer", doc)
    _tell_soon(world, doc, "customer.created")
    jobs.soon(world, "usage.adopt", TOLD_AFTER_SECONDS, customer_id=doc["id"])
    return doc


def update(world: World, doc: Doc, changes: dict[str, Any]) -> Doc:
    """Change a customer. The external id can be set once; a taken address is refused."""
    email = changes.get("email")
    if email and email.lower() != doc["email_key"] and by_email(world, email):
        raise impossible("email", EMAIL_TAKEN, email)
    _check_external_id(world, doc, changes)
    if email:
        member = {**doc["member"], "modified_at": world.stamp()}
        changes = {**changes, "email_key": email.lower(), "member": member}
    if "name" in changes:
        changes = {**changes, "billing_name": doc["own_billing_name"] or changes["name"]}
    doc.update(changes)
    world.touch("customer", doc, search=_search_text(doc))
    _tell_soon(world, doc, "customer.updated")
    if "external_id" in changes:
        jobs.soon(world, "usage.adopt", TOLD_AFTER_SECONDS, customer_id=doc["id"])
    return doc


def delete(world: World, doc: Doc) -> None:
    """Delete a customer: address and external id are free again, subscriptions end at once."""
    emit(world, "member.deleted", shapes.member(doc))
    world.touch(
        "customer", doc, deleted_at=world.stamp(), external_id=None, email_key=None, card=None
    )
    _tell_soon(world, doc, "customer.deleted")
    jobs.soon(world, "customer.end_purchases", TOLD_AFTER_SECONDS * 2, customer_id=doc["id"])


def ids_by_activity(world: World, *, active: bool) -> list[str]:
    """The customers that have an active or trialing subscription, or those that have none."""
    running = world.store.find("subscription", {"status": shapes.ACTIVE_STATUSES})
    with_one = {subscription["customer_id"] for subscription in running}
    if active:
        return list(with_one)
    return [doc["id"] for doc in world.store.find("customer") if doc["id"] not in with_one]


def state_changed(world: World, customer_id: str) -> None:
    """Tell about the customer's state when it has been quiet for a moment, at the latest after 5 s."""
    waiting = jobs.find(world, "customer.state", customer_id=customer_id)
    now = world.now()
    first = parse(waiting["arguments"]["since"]) if waiting else now
    if waiting:
        world.store.remove("job", waiting["id"])
    latest = (first + timedelta(seconds=STATE_LONGEST_SECONDS) - now).total_seconds()
    wait = max(min(STATE_QUIET_SECONDS, latest), 0)
    jobs.soon(world, "customer.state", wait, customer_id=customer_id, since=stamp(first))


def tell(world: World, arguments: Doc) -> None:
    """Job: a customer event with the data of this later moment, and the state with it."""
    doc = world.store.need("customer", arguments["customer_id"])
    emit(world, arguments["event"], shapes.customer(doc))
    emit(world, "customer.state_changed", shapes.state(world, doc))


def tell_state(world: World, arguments: Doc) -> None:
    """Job: the debounced state."""
    doc = world.store.need("customer", arguments["customer_id"])
    emit(world, "customer.state_changed", shapes.state(world, doc))


def _search_text(doc: Doc) -> str:
    return " ".join(filter(None, (doc["email"], doc["name"], doc["external_id"])))


def _tell_soon(world: World, doc: Doc, event: str) -> None:
    jobs.soon(world, "customer.tell", TOLD_AFTER_SECONDS, customer_id=doc["id"], event=event)


def _check_external_id(world: World, doc: Doc, changes: dict[str, Any]) -> None:
    wanted = changes.get("external_id", doc["external_id"])
    if wanted == doc["external_id"]:
        return
    if doc["external_id"] is not None:
        raise impossible("external_id", "Customer external ID cannot be updated.", wanted)
    if by_external_id(world, wanted):
        raise impossible("external_id", EXTERNAL_ID_TAKEN, wanted)
