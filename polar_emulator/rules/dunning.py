"""Charging the card on file: payment, failure, retries, recovery, giving up."""

from __future__ import annotations

from datetime import timedelta

from polar_emulator import jobs
from polar_emulator.clock import parse, stamp
from polar_emulator.errors import PaymentFailed
from polar_emulator.events import emit
from polar_emulator.rules import cards, grants, orders, subscriptions
from polar_emulator.shapes import purchases as shapes
from polar_emulator.store import Doc
from polar_emulator.world import World

# Facts, section 3: days from each failed attempt to the next one.
RETRY_DAYS = (2, 5, 7, 7)
# Recorded: the order is void 0.4 s after the subscription has ended.
VOID_SECONDS = 0.4
# Recorded: after a recovery the fee is known before the state is told.
FEE_SECONDS_AFTER_RECOVERY = 1.2


def charge(world: World, arguments: Doc) -> None:
    """Job: a pending order is charged for the first time."""
    order = world.store.need("order", arguments["order_id"])
    if order["status"] == "pending" and not _attempt(world, order):
        _failed(world, order)


def retry(world: World, arguments: Doc) -> None:
    """Job: a failed order is charged again. Another failure is silent until the last one."""
    order = world.store.need("order", arguments["order_id"])
    if order["status"] != "pending" or order["next_payment_attempt_at"] != arguments["due"]:
        return
    subscription = world.store.get("subscription", order["subscription_id"])
    if subscription is None or subscription["ended_at"]:
        world.touch("order", order, next_payment_attempt_at=None)
        return
    if _attempt(world, order):
        return
    if order["failed_attempts"] < len(RETRY_DAYS):
        _schedule(world, order)
    else:
        _give_up(world, subscription)


def pay_now(world: World, order: Doc) -> None:
    """Charge a pending order at once. PaymentFailed when the card does not pay."""
    if order["status"] == "pending" and not _attempt(world, order):
        raise PaymentFailed


def fail_next_renewal(world: World, customer: Doc) -> None:
    """Let the card on file fail from now on, until `recover`."""
    world.store.put("customer", {**customer, "card": cards.FAILING})


def recover(world: World, customer: Doc) -> None:
    """Give the customer a card that pays; what is unpaid is tried at once."""
    world.store.put("customer", {**customer, "card": cards.GOOD})
    for order in _unpaid(world, {"customer_id": customer["id"]}):
        _attempt(world, order)


def exhaust(world: World, customer: Doc) -> None:
    """Skip the retries that are left: every past due subscription of a customer ends as if all failed."""
    fail_next_renewal(world, customer)
    where = {"customer_id": customer["id"], "status": "past_due"}
    for subscription in world.store.find("subscription", where):
        _give_up(world, subscription)


def void(world: World, arguments: Doc) -> None:
    """Job: an order that nobody will pay any more."""
    order = world.store.need("order", arguments["order_id"])
    if order["status"] == "pending":
        _return_balance(world, order)
        world.touch("order", order, status="void", next_payment_attempt_at=None)
        emit(world, "order.updated", shapes.order(world, order))


def _attempt(world: World, order: Doc) -> bool:
    """Charge an order; False when the card does not pay. The subscription recovers with its last debt."""
    customer = world.store.need("customer", order["customer_id"])
    if order["due_amount"] > 0 and not cards.pays(customer):
        return False
    subscription = world.store.get("subscription", order["subscription_id"])
    if subscription is None or subscription["status"] != "past_due":
        orders.mark_paid(world, order)
        return True
    others = _unpaid(world, {"subscription_id": subscription["id"]})
    if [other["id"] for other in others] == [order["id"]]:
        world.touch("subscription", subscription, status="active", past_due_at=None)
        subscriptions.tell(world, subscription, "subscription.active")
        subscriptions.grants_follow(world, subscription)
    orders.mark_paid(world, order, fee_seconds=FEE_SECONDS_AFTER_RECOVERY)
    return True


def _failed(world: World, order: Doc) -> None:
    _schedule(world, order)
    subscription = world.store.get("subscription", order["subscription_id"])
    if subscription is None or subscription["status"] not in ("active", "trialing"):
        return
    world.touch("subscription", subscription, status="past_due", past_due_at=world.stamp())
    subscriptions.tell(world, subscription, "subscription.past_due")
    subscriptions.grants_follow(world, subscription)
    if until := grants.grace_end(world, subscription):
        jobs.at(world, "grants.subscription", until, subscription_id=subscription["id"])


def _schedule(world: World, order: Doc) -> None:
    failed = order.get("failed_attempts", 0)
    moment = stamp(world.now() + timedelta(days=RETRY_DAYS[failed]))
    world.touch("order", order, failed_attempts=failed + 1, next_payment_attempt_at=moment)
    jobs.at(world, "order.retry", parse(moment), order_id=order["id"], due=moment)


def _give_up(world: World, subscription: Doc) -> None:
    subscriptions.revoke(world, subscription)
    for order in _unpaid(world, {"subscription_id": subscription["id"]}):
        jobs.soon(world, "order.void", VOID_SECONDS, order_id=order["id"])


def _return_balance(world: World, order: Doc) -> None:
    customer = world.store.need("customer", order["customer_id"])
    customer["balance"] = customer.get("balance", 0) - order["applied_balance_amount"]
    world.store.put("customer", customer)


def _unpaid(world: World, where: Doc) -> list[Doc]:
    return world.store.find("order", {**where, "status": "pending"})
