"""Confirming a checkout: the checks, the payment, and what the workers make of it."""

from __future__ import annotations

from typing import Any

from polar_emulator import jobs
from polar_emulator.clock import parse
from polar_emulator.errors import (
    AlreadyActiveSubscription,
    PaymentError,
    Problem,
    RuleError,
    TrialAlreadyRedeemed,
    impossible,
    problem,
)
from polar_emulator.events import emit
from polar_emulator.rules import (
    cards,
    checkout_updates,
    customers,
    discounts,
    orders,
    periods,
    subscriptions,
)
from polar_emulator.rules.money import Tax, tax_on
from polar_emulator.shapes import customers as customer_shapes
from polar_emulator.shapes import purchases as shapes
from polar_emulator.store import Doc
from polar_emulator.world import World

PROCESS_SECONDS = 0.6
TOKEN_MISSING = "Confirmation token is required."  # noqa: S105
FIELD_MISSING = "Field is required."
PRICE_ARCHIVED = "Price is archived."


def confirm(world: World, doc: Doc, given: dict[str, Any]) -> Doc:
    """Pay for an open checkout; `given` holds the buyer's fields and `confirmation_token_id`.

    Raises ExpiredCheckout, NotOpenCheckout, AlreadyActiveSubscription, TrialAlreadyRedeemed, RuleError
    for missing fields and a price that is none any more, and PaymentError for a declined card, after which
    the checkout is open as before.
    """
    checkout_updates.check_open(world, doc)
    _check_price(world, doc)
    before = dict(doc)
    checkout_updates.apply(world, doc, given)
    _check_single_subscription(world, doc)
    _check_trial(world, doc)
    _check_discount(world, doc)
    _check_complete(doc, given)
    token = str(given.get("confirmation_token_id") or "")
    if doc["is_payment_form_required"] and cards.is_declined(token):
        emit(world, "checkout.updated", shapes.checkout(world, before))
        raise PaymentError
    return _accept(world, doc, token)


def process(world: World, arguments: Doc) -> None:
    """Job: the payment went through, so make the subscription and the order."""
    doc = world.store.need("checkout", arguments["checkout_id"])
    customer = world.store.need("customer", doc["customer_id"])
    product = world.store.need("product", doc["product_id"])
    reason, subscription = "purchase", None
    if doc["subscription_id"]:
        upgraded = world.store.need("subscription", doc["subscription_id"])
        subscription = subscriptions.upgrade_free(world, upgraded, doc, product)
        reason = "subscription_update"
    elif product["is_recurring"]:
        subscription = subscriptions.begin(world, doc, customer, product)
        reason = "subscription_create"
    order = _order(world, doc, customer, product, reason, subscription)
    if doc["discount_id"]:
        discounts.redeem(world, doc["discount_id"], customer["id"])
    orders.tell_paid_at_once(world, order)
    jobs.cancel(world, "checkout.expire", checkout_id=doc["id"])
    _note_processing(doc, intent_status="succeeded")
    world.touch("checkout", doc, status="succeeded")
    emit(world, "checkout.updated", shapes.checkout(world, doc))
    if subscription is None:
        jobs.soon(world, "grants.order", subscriptions.GRANTS_SECONDS, order_id=order["id"])
    customers.state_changed(world, customer["id"])


def _check_price(world: World, doc: Doc) -> None:
    """A price that was replaced after the checkout was made is not paid (`checkout/service.py`)."""
    prices = world.store.need("product", doc["product_id"])["prices"]
    if doc["product_price_id"] not in [price["id"] for price in prices]:
        raise impossible("product_price_id", PRICE_ARCHIVED, doc["product_price_id"])


def _check_single_subscription(world: World, doc: Doc) -> None:
    """One subscription per customer, found by id or by e-mail, free ones included, unless the
    organisation takes several. An upgrade is not checked, not even when the subscription is paid for by now
    (`checkout/service.py`, `_validate_subscription_uniqueness`)."""
    product = world.store.need("product", doc["product_id"])
    settings = world.organization["subscription_settings"]
    if not product["is_recurring"] or settings["allow_multiple_subscriptions"]:
        return
    if doc["subscription_id"]:
        return
    buyer = _existing_customer(world, doc)
    if buyer and subscriptions.billable_of(world, buyer["id"]):
        raise AlreadyActiveSubscription


def _check_trial(world: World, doc: Doc) -> None:
    """One trial per customer, if the organisation wants that."""
    if not world.organization["subscription_settings"]["prevent_trial_abuse"]:
        return
    buyer = _existing_customer(world, doc) if doc["active_trial_interval"] else None
    where = {"customer_id": buyer["id"], "trial_start !=": None} if buyer else {"id": []}
    if world.store.first("subscription", where):
        raise TrialAlreadyRedeemed


def _check_discount(world: World, doc: Doc) -> None:
    if doc["discount_id"]:
        buyer = _existing_customer(world, doc)
        discount = world.store.need("discount", doc["discount_id"])
        discounts.check_limits(world, discount, buyer["id"] if buyer else None)


def _check_complete(doc: Doc, given: dict[str, Any]) -> None:
    problems: list[Problem] = []
    required = ["customer_email"]
    if doc["is_payment_form_required"]:
        required += ["customer_name", "customer_billing_address"]
    for name in required:
        if not doc[name]:
            problems.append(problem("missing", ("body", name), FIELD_MISSING, None))
    if doc["is_payment_form_required"] and not given.get("confirmation_token_id"):
        where = ("body", "confirmation_token_id")
        problems.append(problem("missing", where, TOKEN_MISSING, None))
    if problems:
        raise RuleError(problems)


def _accept(world: World, doc: Doc, token: str) -> Doc:
    if not doc["is_payment_form_required"]:
        doc["customer_billing_name"] = None  # Recorded: what is free of charge needs no such name.
    existing = _existing_customer(world, doc)
    customer = existing or _new_customer(world, doc)
    if existing:
        _refresh_customer(world, existing, doc)
    customer["processor_id"] = f"cus_{customer['id'][:8]}local"
    if doc["is_payment_form_required"]:
        customer["card"] = cards.kept_as(token)
    world.store.put("customer", customer)
    _note_processing(doc, customer_id=customer["processor_id"], **_intent(doc))
    world.touch("checkout", doc, status="confirmed")
    if existing is None:
        emit(world, "member.created", customer_shapes.member(customer))
    emit(world, "checkout.updated", shapes.checkout(world, doc))
    world.touch("checkout", doc, customer_id=customer["id"])
    jobs.soon(world, "checkout.process", PROCESS_SECONDS, checkout_id=doc["id"])
    return doc


def _intent(doc: Doc) -> dict[str, str]:
    """What the payment processor calls the payment, or the card that is only kept for later."""
    if not doc["is_payment_form_required"]:
        return {}
    kind = "pi" if doc["is_payment_required"] else "seti"
    secret = f"{kind}_{doc['id'][:8]}local_secret_x"
    return {"intent_client_secret": secret, "intent_status": "succeeded"}


def _note_processing(doc: Doc, **more: str) -> None:
    doc["payment_processor_metadata"] = {**doc["payment_processor_metadata"], **more}


def _existing_customer(world: World, doc: Doc) -> Doc | None:
    """The linked customer, else the one with the same e-mail, whose external id then wins."""
    if doc["customer_id"]:
        return world.store.need("customer", doc["customer_id"])
    by_id = customers.by_external_id(world, doc["external_customer_id"])
    return by_id or customers.by_email(world, doc["customer_email"])


def _new_customer(world: World, doc: Doc) -> Doc:
    fields = {
        "email": doc["customer_email"],
        "name": doc["customer_name"],
        "own_billing_name": doc["customer_billing_name"],
        "external_id": doc["external_customer_id"],
        "billing_address": doc["customer_billing_address"],
        "metadata": doc["customer_metadata"],
        "locale": doc["locale"],
    }
    return customers.add(world, fields)


def _refresh_customer(world: World, customer: Doc, doc: Doc) -> None:
    name = customer["name"] or doc["customer_name"]
    billing_name = doc["customer_billing_name"] or customer["own_billing_name"]
    changes = {
        "name": name,
        "own_billing_name": billing_name,
        "billing_name": billing_name or name,
        "billing_address": doc["customer_billing_address"] or customer["billing_address"],
        "locale": customer["locale"] or doc["locale"],
        "metadata": {**customer["metadata"], **doc["customer_metadata"]},
    }
    world.touch("customer", customer, **changes)
    jobs.soon(
        world,
        "customer.tell",
        customers.TOLD_AFTER_SECONDS,
        customer_id=customer["id"],
        event="customer.updated",
    )


def _order(
    world: World, doc: Doc, customer: Doc, product: Doc, reason: str, subscription: Doc | None
) -> Doc:
    trial = subscription is not None and subscription["status"] == "trialing"
    price = None if trial else doc["price"]
    left = doc["amount"] - doc["discount_amount"]
    tax = Tax(0, 0, 0, None) if trial else tax_on(left, customer["billing_address"])
    links = {
        "price": price,
        "discount_id": doc["discount_id"],
        "discount_amount": 0 if trial else doc["discount_amount"],
        "currency": doc["currency"],
        "subscription_id": subscription["id"] if subscription else None,
        "checkout_id": doc["id"],
        "metadata": doc["metadata"],
    }
    items = [_line(world, doc, product, subscription, trial=trial)]
    return orders.create(world, customer, product, reason, items, tax, **links)


def _line(world: World, doc: Doc, product: Doc, subscription: Doc | None, *, trial: bool) -> Doc:
    if subscription is None:
        return orders.item(world, product["name"], doc["amount"], doc["product_price_id"])
    start, end = subscription["current_period_start"], subscription["current_period_end"]
    if not trial:
        price_id = doc["product_price_id"]
        return orders.item(world, product["name"], doc["amount"], price_id, start=start, end=end)
    span = f"({periods.in_words(parse(start))} - {periods.in_words(parse(end))})"
    label = f"Trial period for {product['name']} {span}"
    return orders.item(world, label, 0, None, start=start, end=end)
