"""Subscriptions: beginning, cancelling, ending, and what the calendar does to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from polar_emulator import jobs
from polar_emulator.clock import parse, stamp
from polar_emulator.errors import AlreadyCanceledSubscription, BadRequest
from polar_emulator.events import emit
from polar_emulator.rules import orders, periods
from polar_emulator.rules.customers import state_changed
from polar_emulator.rules.money import tax_on
from polar_emulator.shapes import purchases as shapes
from polar_emulator.store import Doc
from polar_emulator.world import World

BILLABLE_STATUSES = ("active", "trialing", "past_due")
# Recorded: grants follow a purchase by 0.3 s, and a renewal by 1 s, when it has been paid.
GRANTS_SECONDS = 0.3
GRANTS_CYCLED_SECONDS = 1.0


def billable_of(world: World, customer_id: str) -> Doc | None:
    """The customer's subscription that is running or past due, if any."""
    where = {"customer_id": customer_id, "status": BILLABLE_STATUSES}
    return world.store.first("subscription", where)


def begin(world: World, checkout: Doc, customer: Doc, product: Doc) -> Doc:
    """The subscription that a checkout bought, trialing when the checkout says so."""
    now = world.now()
    trial_end = checkout["trial_end"] if checkout["active_trial_interval"] else None
    start = stamp(now)
    doc: Doc = {
        "id": world.new_id(),
        "created_at": world.stamp(),
        "modified_at": None,
        "status": "trialing" if trial_end else "active",
        "current_meter_period_start": None,
        "current_meter_period_end": None,
        "trial_start": start if trial_end else None,
        "trial_end": trial_end,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "started_at": start,
        "ends_at": None,
        "ended_at": None,
        "past_due_at": None,
        "pause_at_period_end": False,
        "paused_at": None,
        "resumes_at": None,
        "customer_id": customer["id"],
        "discount_id": None,
        "checkout_id": checkout["id"],
        "seats": None,
        "units": None,
        "customer_cancellation_reason": None,
        "customer_cancellation_comment": None,
        "metadata": checkout["metadata"],
        "custom_field_data": {},
        "pending_update": None,
        "open_items": [],
        **terms(product, checkout["price"]),
        "amount": checkout["amount"],
    }
    set_period(world, doc, now, parse(trial_end) if trial_end else None)
    for event in ("subscription.created", "subscription.active", "subscription.updated"):
        emit(world, event, shapes.subscription(world, doc))
    grants_follow(world, doc)
    return doc


def upgrade_free(world: World, doc: Doc, checkout: Doc, product: Doc) -> Doc:
    """Turn a free subscription into a paid one: only `subscription.updated` tells about it."""
    doc.update(terms(product, checkout["price"]), amount=checkout["amount"])
    doc["metadata"] = {**doc["metadata"], **checkout["metadata"]}
    set_period(world, doc, world.now())
    world.touch("subscription", doc, checkout_id=checkout["id"])
    emit(world, "subscription.updated", shapes.subscription(world, doc))
    grants_follow(world, doc)
    state_changed(world, doc["customer_id"])
    return doc


def cancel_at_period_end(world: World, doc: Doc, reason: str | None, comment: str | None) -> None:
    """Let it run out. AlreadyCanceledSubscription when it does already."""
    _need_running(doc)
    world.touch(
        "subscription",
        doc,
        cancel_at_period_end=True,
        canceled_at=world.stamp(),
        ends_at=doc["current_period_end"],
        customer_cancellation_reason=reason,
        customer_cancellation_comment=comment,
    )
    tell(world, doc, "subscription.canceled")


def uncancel(world: World, doc: Doc) -> None:
    """Take a cancellation back. BadRequest when there is none."""
    if not doc["cancel_at_period_end"] or doc["ended_at"]:
        raise BadRequest
    world.touch(
        "subscription",
        doc,
        cancel_at_period_end=False,
        canceled_at=None,
        ends_at=None,
        customer_cancellation_reason=None,
        customer_cancellation_comment=None,
    )
    tell(world, doc, "subscription.uncanceled")


def revoke(world: World, doc: Doc, reason: str | None = None, comment: str | None = None) -> None:
    """End it now. AlreadyCanceledSubscription when it has ended."""
    if doc["ended_at"]:
        raise AlreadyCanceledSubscription
    moment = world.stamp()
    if reason or comment:
        doc["customer_cancellation_reason"] = reason
        doc["customer_cancellation_comment"] = comment
    world.touch(
        "subscription",
        doc,
        status="canceled",
        cancel_at_period_end=False,
        canceled_at=doc["canceled_at"] or moment,
        ends_at=moment,
        ended_at=moment,
    )
    _ended(world, doc)


def period_over(world: World, arguments: Doc) -> None:
    """Job: the period has ended. A cancelled subscription ends, any other renews."""
    doc = world.store.need("subscription", arguments["subscription_id"])
    if doc["ended_at"] or doc["current_period_end"] != arguments["period_end"]:
        return
    if doc["cancel_at_period_end"]:
        world.touch("subscription", doc, status="canceled", ended_at=world.stamp())
        _ended(world, doc)
        return
    _renew(world, doc)


def terms(product: Doc, price: Doc) -> dict[str, Any]:
    """What a subscription takes over from a product and one of its prices."""
    return {
        "product_id": product["id"],
        "price": price,
        "price_id": price["id"],
        "amount": price.get("price_amount", 0),
        "currency": price["price_currency"],
        "recurring_interval": product["recurring_interval"],
        "recurring_interval_count": product["recurring_interval_count"],
    }


def set_period(world: World, doc: Doc, start: datetime, end: datetime | None = None) -> None:
    """Begin a period, keep it, and put its end on the calendar."""
    end = end or periods.add(start, doc["recurring_interval"], doc["recurring_interval_count"])
    doc["current_period_start"], doc["current_period_end"] = stamp(start), stamp(end)
    world.store.put("subscription", doc)
    jobs.at(
        world, "subscription.period_over", end, subscription_id=doc["id"], period_end=stamp(end)
    )


def grants_follow(world: World, doc: Doc, *, cycled: bool = False) -> None:
    """Bring the grants in line shortly."""
    wait = GRANTS_CYCLED_SECONDS if cycled else GRANTS_SECONDS
    jobs.soon(world, "grants.subscription", wait, subscription_id=doc["id"], cycled=cycled)


def tell(world: World, doc: Doc, *more: str) -> None:
    """Send `subscription.updated` and what else it means, and the state a little later."""
    for event in ("subscription.updated", *more):
        emit(world, event, shapes.subscription(world, doc))
    state_changed(world, doc["customer_id"])


def _need_running(doc: Doc) -> None:
    if doc["ended_at"] or doc["cancel_at_period_end"]:
        raise AlreadyCanceledSubscription


def _ended(world: World, doc: Doc) -> None:
    tell(world, doc, "subscription.canceled", "subscription.revoked")
    grants_follow(world, doc)


def _renew(world: World, doc: Doc) -> None:
    if doc["pending_update"]:
        product = world.store.need("product", doc["pending_update"]["product_id"])
        doc.update(terms(product, product["prices"][0]), pending_update=None)
    start = parse(doc["current_period_end"])
    set_period(world, doc, start)
    lines, doc["open_items"] = doc["open_items"], []
    status = "past_due" if doc["status"] == "past_due" else "active"
    world.touch("subscription", doc, status=status)
    for event in ("subscription.cycled", "subscription.updated"):
        emit(world, event, shapes.subscription(world, doc))
    _order_period(world, doc, lines)
    grants_follow(world, doc, cycled=True)
    state_changed(world, doc["customer_id"])


def _order_period(world: World, doc: Doc, lines: list[Doc]) -> None:
    customer = world.store.need("customer", doc["customer_id"])
    product = world.store.need("product", doc["product_id"])
    start, end = doc["current_period_start"], doc["current_period_end"]
    span = f"From {periods.in_words(parse(start))} to {periods.in_words(parse(end))}"
    label = f"{product['name']} — {span}"
    line = orders.item(world, label, doc["amount"], doc["price_id"], start=start, end=end)
    items = [*lines, line]
    total = max(sum(entry["amount"] for entry in items), 0)
    order = orders.create(
        world,
        customer,
        product,
        "subscription_cycle",
        items,
        tax_on(total, customer["billing_address"]),
        price=doc["price"],
        currency=doc["currency"],
        subscription_id=doc["id"],
        metadata=doc["metadata"],
    )
    orders.tell_pending(world, order)
