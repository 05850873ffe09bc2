"""The end of a period: a subscription ends, pauses or renews."""

from __future__ import annotations

from polar_emulator.clock import parse
from polar_emulator.events import emit
from polar_emulator.rules import discounts, pauses, period_orders, subscriptions
from polar_emulator.rules.customers import state_changed
from polar_emulator.shapes import purchases as shapes
from polar_emulator.store import Doc
from polar_emulator.world import World


def period_over(world: World, arguments: Doc) -> None:
    """Job: the period has ended. What is cancelled ends, what is to pause pauses, the rest renews."""
    doc = world.store.need("subscription", arguments["subscription_id"])
    if doc["ended_at"] or doc["current_period_end"] != arguments["period_end"]:
        return
    if doc["status"] not in subscriptions.BILLABLE_STATUSES:
        return
    if doc["cancel_at_period_end"]:
        world.touch("subscription", doc, status="canceled", ended_at=world.stamp())
        subscriptions.ended(world, doc)
        period_orders.settle(world, doc)
    elif doc["pause_at_period_end"]:
        pauses.pause(world, doc)
    else:
        renew(world, doc)


def renew(world: World, doc: Doc) -> None:
    """Begin the next period, with the scheduled plan if there is one, and ask for its price."""
    if doc["pending_update"]:
        product = world.store.need("product", doc["pending_update"]["product_id"])
        doc["pending_update"] = None
        subscriptions.take_terms(world, doc, product)
    _drop_discount(world, doc)
    subscriptions.set_period(world, doc, parse(doc["current_period_end"]))
    lines, doc["open_items"] = doc["open_items"], []
    status = "past_due" if doc["status"] == "past_due" else "active"
    world.touch("subscription", doc, status=status)
    for event in ("subscription.cycled", "subscription.updated"):
        emit(world, event, shapes.subscription(world, doc))
    period_orders.create(world, doc, lines)
    subscriptions.grants_follow(world, doc, cycled=True)
    state_changed(world, doc["customer_id"])


def _drop_discount(world: World, doc: Doc) -> None:
    """A discount that does not count for the period which begins is gone."""
    discount = world.store.get("discount", doc["discount_id"])
    if discount and not discounts.lasts(discount, doc["discount_from"], doc["current_period_end"]):
        doc["discount_id"] = None
        subscriptions.take_discount(world, doc)
