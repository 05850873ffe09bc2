"""The order for a period of a subscription that begins."""

from __future__ import annotations

from polar_emulator.clock import parse
from polar_emulator.rules import orders, periods
from polar_emulator.rules.money import tax_on
from polar_emulator.store import Doc
from polar_emulator.world import World


def create(world: World, doc: Doc, lines: list[Doc]) -> Doc:
    """A pending order for the present period and the lines that waited for it; charged shortly."""
    product = world.store.need("product", doc["product_id"])
    start, end = doc["current_period_start"], doc["current_period_end"]
    span = f"From {periods.in_words(parse(start))} to {periods.in_words(parse(end))}"
    label = f"{product['name']} — {span}"
    line = orders.item(world, label, doc["full_amount"], doc["price_id"], start=start, end=end)
    discount = doc["full_amount"] - doc["amount"]
    return _pending(world, doc, product, [*lines, line], discount)


def settle(world: World, doc: Doc) -> None:
    """An order for the lines that waited when a subscription is cancelled and its period is over.

    The public reason is that of a renewal (`models/order.py`, `subscription_cancel`).
    """
    lines, doc["open_items"] = doc["open_items"], []
    if lines:
        world.store.put("subscription", doc)
        _pending(world, doc, world.store.need("product", doc["product_id"]), lines, 0)


def _pending(world: World, doc: Doc, product: Doc, items: list[Doc], discount: int) -> Doc:
    customer = world.store.need("customer", doc["customer_id"])
    waited = any(line["proration"] for line in items)
    total = sum(entry["amount"] for entry in items) - discount
    order = orders.create(
        world,
        customer,
        product,
        "subscription_cycle",
        items,
        tax_on(total, customer["billing_address"]),
        price=doc["open_price"] if waited else doc["price"],
        currency=doc["currency"],
        subscription_id=doc["id"],
        metadata=doc["metadata"],
        discount_id=doc["discount_id"],
        discount_amount=discount,
    )
    orders.tell_pending(world, order)
    return order
