"""Free plans that the merchant gives to customers through the API."""

from __future__ import annotations

from typing import Any

from polar_emulator.errors import impossible
from polar_emulator.rules import customers, orders, subscriptions
from polar_emulator.rules.money import tax_on
from polar_emulator.store import Doc
from polar_emulator.world import World

NOT_FREE = (
    "Product is not free. The customer should go through a checkout to create a paid subscription."
)


def subscribe(world: World, wanted: dict[str, Any]) -> Doc:
    """Subscribe a customer to a free product. RuleError when it is not free, or for nobody we know."""
    product = _free_product(world, wanted["product_id"])
    customer = _customer(world, wanted)
    doc = subscriptions.begin_free(world, customer, product, wanted.get("metadata") or {})
    start, end = doc["current_period_start"], doc["current_period_end"]
    line = orders.item(world, product["name"], 0, doc["price_id"], start=start, end=end)
    order = orders.create(
        world,
        customer,
        product,
        "subscription_create",
        [line],
        tax_on(0, None),
        price=doc["price"],
        currency=doc["currency"],
        subscription_id=doc["id"],
        metadata=doc["metadata"],
    )
    orders.tell_paid_at_once(world, order)
    customers.state_changed(world, customer["id"])
    return doc


def _free_product(world: World, key: str) -> Doc:
    product = world.store.get("product", key)
    if product is None:
        raise impossible("product_id", "Product does not exist.", key)
    if not product["is_recurring"]:
        raise impossible("product_id", "Product is not a recurring product.", key)
    if product["is_archived"]:
        raise impossible("product_id", "Product is archived.", key)
    if product["prices"][0].get("price_amount") != 0:
        raise impossible("product_id", NOT_FREE, key)
    return product


def _customer(world: World, wanted: dict[str, Any]) -> Doc:
    if key := wanted.get("customer_id"):
        customer = world.store.get("customer", key)
        if customer is None or customer["deleted_at"]:
            raise impossible("customer_id", "Customer does not exist.", key)
        return customer
    external_id = wanted["external_customer_id"]
    found = customers.by_external_id(world, external_id)
    if found is None:
        raise impossible("external_customer_id", "Customer does not exist.", external_id)
    return found
