"""The order for a period of a subscription that begins."""

from __future__ import annotations

from polar_emulator.clock import parse
from polar_emulator.rules import orders, periods
from polar_emulator.rules.money import tax_on
from polar_emulator.store import Doc
from polar_emulator.world import World


def create(world: World, doc: Doc, lines: list[Doc]) -> Doc:
    """A pending order for the present period and the lines that waited for it; charged shortly."""
    customer = world.store.need("customer", doc["customer_id"])
    product = world.store.need("product", doc["product_id"])
    start, end = doc["current_period_start"], doc["current_period_end"]
    span = f"From {periods.in_words(parse(start))} to {periods.in_words(parse(end))}"
    label = f"{product['name']} — {span}"
    line = orders.item(world, label, doc["full_amount"], doc["price_id"], start=start, end=end)
    items = [*lines, line]
    discount = doc["full_amount"] - doc["amount"]
    total = sum(entry["amount"] for entry in items) - discount
    order = orders.create(
        world,
        customer,
        product,
        "subscription_cycle",
        items,
        tax_on(total, customer["billing_address"]),
        price=doc["open_price"] if lines else doc["price"],
        currency=doc["currency"],
        subscription_id=doc["id"],
        metadata=doc["metadata"],
        discount_id=doc["discount_id"],
        discount_amount=discount,
    )
    orders.tell_pending(world, order)
    return order
