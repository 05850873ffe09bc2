"""Plan changes: another product for a running subscription, now or at the end of the period."""

from __future__ import annotations

from polar_emulator import jobs
from polar_emulator.clock import parse, stamp
from polar_emulator.errors import PaymentFailed, impossible
from polar_emulator.events import emit
from polar_emulator.rules import cards, discounts, orders, periods, subscriptions
from polar_emulator.rules.customers import state_changed
from polar_emulator.rules.money import prorated, tax_on
from polar_emulator.shapes import purchases as shapes
from polar_emulator.store import Doc
from polar_emulator.world import World

BEHAVIORS = ("invoice", "prorate", "next_period", "reset")
RESET_REFUSED = "The 'reset' proration behavior is not enabled for this organization."


def change(world: World, doc: Doc, product_id: str, behavior: str | None) -> None:
    """Move a subscription to another product.

    `invoice` charges the difference now, `prorate` (the default) puts it on the next invoice unless
    the interval changes, `next_period` waits for the end of the period.
    """
    subscriptions.need_changeable(doc)
    product = _target(world, product_id)
    behavior = behavior or world.organization["proration_behavior"]
    if behavior == "reset":
        raise impossible("proration_behavior", RESET_REFUSED, behavior)
    if behavior == "next_period":
        _schedule(world, doc, product)
        return
    doc["pending_update"] = None
    new_interval = _interval(product) != _interval(doc)
    if doc["status"] == "trialing":
        _switch_trial(world, doc, product)
    elif behavior == "invoice" or new_interval:
        _charge_now(world, doc, product, new_period=new_interval)
    else:
        doc["open_price"] = _first_price(doc)
        doc["open_items"] = [*doc["open_items"], *_lines(world, doc, product, new_period=False)]
        subscriptions.take_terms(world, doc, product)
        world.touch("subscription", doc)
        emit(world, "subscription.updated", shapes.subscription(world, doc))
    subscriptions.grants_follow(world, doc)
    state_changed(world, doc["customer_id"])


def clear_pending(world: World, doc: Doc) -> None:
    """Forget a change that waits for the end of the period."""
    doc["pending_update"] = None
    world.store.put("subscription", doc)
    subscriptions.tell(world, doc)


def _target(world: World, product_id: str) -> Doc:
    product = world.store.get("product", product_id)
    if product is None:
        raise impossible("product_id", "Product does not exist.", product_id)
    if product["is_archived"]:
        raise impossible("product_id", "Product is archived.", product_id)
    if not product["is_recurring"]:
        raise impossible("product_id", "Product is not recurring.", product_id)
    return product


def _schedule(world: World, doc: Doc, product: Doc) -> None:
    doc["pending_update"] = {
        "created_at": world.stamp(),
        "modified_at": None,
        "id": world.new_id(),
        "applies_at": doc["current_period_end"],
        "product_id": product["id"],
        "seats": None,
        "units": None,
    }
    world.store.put("subscription", doc)
    subscriptions.tell(world, doc)


def _switch_trial(world: World, doc: Doc, product: Doc) -> None:
    """Nothing has been paid in a trial, so nothing is charged or given back; it ends as it would have."""
    subscriptions.take_terms(world, doc, product)
    world.touch("subscription", doc)
    emit(world, "subscription.updated", shapes.subscription(world, doc))


def _charge_now(world: World, doc: Doc, product: Doc, *, new_period: bool) -> None:
    customer = world.store.need("customer", doc["customer_id"])
    items = [*doc["open_items"], *_lines(world, doc, product, new_period=new_period)]
    total = sum(line["amount"] for line in items)
    if total > customer.get("balance", 0) and not cards.pays(customer):
        raise PaymentFailed
    price = _first_price(doc)
    subscriptions.take_terms(world, doc, product)
    doc["open_items"] = []
    if new_period:
        jobs.cancel(world, "subscription.period_over", subscription_id=doc["id"])
        subscriptions.set_period(world, doc, world.now())
    world.touch("subscription", doc)
    order = orders.create(
        world,
        customer,
        product,
        "subscription_update",
        items,
        tax_on(total, customer["billing_address"]),
        price=price,
        currency=doc["currency"],
        subscription_id=doc["id"],
        metadata=doc["metadata"],
    )
    orders.tell_pending(world, order)
    emit(world, "subscription.updated", shapes.subscription(world, doc))


def _lines(world: World, doc: Doc, product: Doc, *, new_period: bool) -> list[Doc]:
    """The credit for the rest of the old product, and the new one for the same time or a full period."""
    now, price = world.now(), product["prices"][0]
    start, end = parse(doc["current_period_start"]), parse(doc["current_period_end"])
    old = world.store.need("product", doc["product_id"])
    discount = world.store.get("discount", doc["discount_id"])
    full = price.get("price_amount", 0)
    amount = full - discounts.off(discount, full, price["price_currency"])
    until, cost = end, prorated(amount, now, start, end)
    if new_period:
        until = periods.add(now, product["recurring_interval"], product["recurring_interval_count"])
        cost = amount
    today = periods.in_words(now)
    credit = -prorated(doc["amount"], now, start, end)
    remaining = f"Remaining time on {old['name']} — From {today} to {periods.in_words(end)}"
    buying = f"{product['name']} — From {today} to {periods.in_words(until)}"
    return [
        orders.item(
            world,
            remaining,
            credit,
            doc["price_id"],
            proration=True,
            start=stamp(now),
            end=stamp(end),
        ),
        orders.item(
            world, buying, cost, price["id"], proration=True, start=stamp(now), end=stamp(until)
        ),
    ]


def _first_price(doc: Doc) -> Doc:
    """The price of what an order begins with, which it carries (recorded): what is credited first."""
    if doc["open_items"]:
        return dict(doc["open_price"])
    names = ("product_id", "recurring_interval")
    return {**doc["price"], **{name: doc[name] for name in names}}


def _interval(doc: Doc) -> tuple[str, int]:
    return doc["recurring_interval"], doc["recurring_interval_count"]
