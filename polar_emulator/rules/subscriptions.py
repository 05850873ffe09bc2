"""Subscriptions: beginning, cancelling, ending, and what their other rules share."""

from __future__ import annotations

from datetime import datetime

from polar_emulator import jobs
from polar_emulator.clock import parse, stamp
from polar_emulator.errors import AlreadyCanceledSubscription, BadRequest, InactiveSubscription
from polar_emulator.events import emit
from polar_emulator.rules import discounts, periods
from polar_emulator.rules.customers import state_changed
from polar_emulator.shapes import purchases as shapes
from polar_emulator.store import Doc
from polar_emulator.world import World

BILLABLE_STATUSES = ("active", "trialing", "past_due")
UNSET_AT_FIRST = (
    "current_meter_period_start", "current_meter_period_end", "canceled_at", "ends_at", "ended_at",
    "past_due_at", "paused_at", "resumes_at", "seats", "units", "customer_cancellation_reason",
    "customer_cancellation_comment", "pending_update", "open_price",
)  # fmt: skip
# Recorded: grants follow a purchase by 0.3 s, and a renewal by 1 s, when it has been paid.
GRANTS_SECONDS = 0.3
GRANTS_CYCLED_SECONDS = 1.0


def billable_of(world: World, customer_id: str) -> Doc | None:
    """The customer's subscription that is running or past due, if any."""
    where = {"customer_id": customer_id, "status": BILLABLE_STATUSES}
    return world.store.first("subscription", where)


def begin(world: World, checkout: Doc, customer: Doc, product: Doc) -> Doc:
    """The subscription that a checkout bought, trialing when the checkout says so."""
    trial_end = checkout["trial_end"] if checkout["active_trial_interval"] else None
    doc = _new(world, customer, {**checkout, "trial_end": trial_end, "checkout_id": checkout["id"]})
    take_terms(world, doc, product, checkout["price"], checkout["amount"])
    return _start(world, doc)


def begin_free(world: World, customer: Doc, product: Doc, metadata: Doc) -> Doc:
    """A subscription to a free product that the merchant gives to a customer, without a checkout."""
    doc = _new(world, customer, {"metadata": metadata})
    take_terms(world, doc, product)
    return _start(world, doc)


def upgrade_free(world: World, doc: Doc, checkout: Doc, product: Doc) -> Doc:
    """Turn a free subscription into a paid one: only `subscription.updated` tells about it."""
    doc.update(discount_id=checkout["discount_id"], discount_from=world.stamp())
    take_terms(world, doc, product, checkout["price"], checkout["amount"])
    doc["metadata"] = {**doc["metadata"], **checkout["metadata"]}
    set_period(world, doc, world.now())
    world.touch("subscription", doc, checkout_id=checkout["id"])
    emit(world, "subscription.updated", shapes.subscription(world, doc))
    grants_follow(world, doc)
    state_changed(world, doc["customer_id"])
    return doc


def cancel_at_period_end(world: World, doc: Doc, reason: str | None, comment: str | None) -> None:
    """Let it run out. AlreadyCanceledSubscription when it does already. A paused one ends at once."""
    need_running(doc)
    if doc["status"] == "paused":
        revoke(world, doc, reason, comment)
        return
    world.touch(
        "subscription",
        doc,
        cancel_at_period_end=True,
        canceled_at=world.stamp(),
        ends_at=doc["current_period_end"],
        pause_at_period_end=False,
        resumes_at=None,
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
    ended(world, doc)


def need_changeable(doc: Doc) -> None:
    """AlreadyCanceledSubscription when it ends or has ended, InactiveSubscription when it is paused."""
    need_running(doc)
    if doc["status"] not in BILLABLE_STATUSES:
        raise InactiveSubscription


def need_running(doc: Doc) -> None:
    """AlreadyCanceledSubscription when it ends or has ended."""
    if doc["ended_at"] or doc["cancel_at_period_end"]:
        raise AlreadyCanceledSubscription


def set_metadata(world: World, doc: Doc, metadata: Doc | None) -> None:
    """Change the metadata if there is any, and tell. Recorded: no change at all is told, too."""
    if metadata is not None:
        world.touch("subscription", doc, metadata=metadata)
    tell(world, doc)


def take_terms(
    world: World, doc: Doc, product: Doc, price: Doc | None = None, amount: int | None = None
) -> None:
    """Make a product and one of its prices (the first) what a subscription is for.

    `amount` is what the buyer chose for a price that is theirs to choose.
    """
    price = price or product["prices"][0]
    doc.update(
        product_id=product["id"],
        price=price,
        price_id=price["id"],
        full_amount=price.get("price_amount", 0) if amount is None else amount,
        currency=price["price_currency"],
        recurring_interval=product["recurring_interval"],
        recurring_interval_count=product["recurring_interval_count"],
    )
    take_discount(world, doc)


def take_discount(world: World, doc: Doc) -> None:
    """The amount of a subscription: its price without its discount."""
    discount = world.store.get("discount", doc["discount_id"])
    doc["amount"] = doc["full_amount"] - discounts.off(
        discount, doc["full_amount"], doc["currency"]
    )


def set_discount(world: World, doc: Doc, discount_id: str | None) -> None:
    """Give a subscription a discount from the next order on, or take it away. RuleError if unusable."""
    need_changeable(doc)
    if discount_id is not None:
        product = world.store.need("product", doc["product_id"])
        found = world.store.get("discount", discount_id)
        discounts.usable(world, found, product, "discount_id", discount_id)
        discounts.redeem(world, discount_id, doc["customer_id"])
        doc["discount_from"] = doc["current_period_end"]
    doc["discount_id"] = discount_id
    take_discount(world, doc)
    world.touch("subscription", doc)
    tell(world, doc)


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


def ended(world: World, doc: Doc) -> None:
    """Tell that a subscription is over, and take its grants away."""
    tell(world, doc, "subscription.canceled", "subscription.revoked")
    grants_follow(world, doc)


def _new(world: World, customer: Doc, given: Doc) -> Doc:
    start, trial_end = world.stamp(), given.get("trial_end")
    return {
        "id": world.new_id(),
        "created_at": world.stamp(),
        "modified_at": None,
        "status": "trialing" if trial_end else "active",
        "trial_start": start if trial_end else None,
        "trial_end": trial_end,
        "cancel_at_period_end": False,
        "started_at": start,
        "pause_at_period_end": False,
        "customer_id": customer["id"],
        "discount_id": given.get("discount_id"),
        "discount_from": trial_end or start,
        "checkout_id": given.get("checkout_id"),
        "metadata": given["metadata"],
        "custom_field_data": {},
        "open_items": [],
        **dict.fromkeys(UNSET_AT_FIRST),
    }


def _start(world: World, doc: Doc) -> Doc:
    end = parse(doc["trial_end"]) if doc["trial_end"] else None
    set_period(world, doc, parse(doc["started_at"]), end)
    for event in ("subscription.created", "subscription.active", "subscription.updated"):
        emit(world, event, shapes.subscription(world, doc))
    grants_follow(world, doc)
    return doc
