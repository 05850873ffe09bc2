"""Checkouts: opening them, finding the customer, pricing, expiring."""

from __future__ import annotations

import secrets
import string
from datetime import timedelta
from typing import Any

from polar_emulator import jobs
from polar_emulator.clock import parse, stamp
from polar_emulator.errors import RuleError, impossible, problem
from polar_emulator.events import emit
from polar_emulator.rules import customers, discounts, periods
from polar_emulator.rules.money import tax_on
from polar_emulator.shapes import purchases as shapes
from polar_emulator.store import Doc
from polar_emulator.world import World

LIFETIME = timedelta(hours=24)
SECRET_ALPHABET = string.ascii_letters + string.digits
SECRET_LENGTH = 43


def random_secret(prefix: str) -> str:
    """A token as Polar makes them: a prefix and 43 letters and digits."""
    return prefix + "".join(secrets.choice(SECRET_ALPHABET) for _ in range(SECRET_LENGTH))


def create(world: World, wanted: dict[str, Any]) -> Doc:
    """Open a checkout. RuleError for products, customers or subscriptions that cannot be used."""
    products = _products(world, wanted["products"])
    upgraded = _upgraded(world, wanted.get("subscription_id"))
    customer = _customer(world, wanted, upgraded)
    discount = _discount(world, wanted.get("discount_id"), products[0])
    secret, now, key = random_secret("polar_c_"), world.now(), world.new_id()
    url = f"{world.public_url}/checkout/{secret}"
    success_url = wanted.get("success_url") or f"{url}/confirmation"
    doc: Doc = {
        "id": key,
        "created_at": stamp(now),
        "modified_at": None,
        "custom_field_data": {},
        "payment_processor": "stripe",
        "status": "open",
        "secret": secret,
        "client_secret": secret,
        "url": url,
        "expires_at": stamp(now + LIFETIME),
        "success_url": success_url.replace("{CHECKOUT_ID}", key),
        "return_url": wanted.get("return_url"),
        "embed_origin": wanted.get("embed_origin"),
        "discount_id": discount["id"] if discount else None,
        "allow_trial": wanted.get("allow_trial", True),
        "allow_discount_codes": wanted.get("allow_discount_codes", True),
        "require_billing_address": wanted.get("require_billing_address", False),
        "organization_id": world.organization["id"],
        "is_business_customer": False,
        "customer_ip_address": wanted.get("customer_ip_address"),
        "customer_tax_id": None,
        "locale": wanted.get("locale") or "en",
        "payment_method_type": None,
        "payment_processor_metadata": _processing(customer),
        "trial_interval": wanted.get("trial_interval"),
        "trial_interval_count": wanted.get("trial_interval_count"),
        "metadata": wanted.get("metadata") or {},
        "customer_metadata": wanted.get("customer_metadata") or {},
        "external_customer_id": wanted.get("external_customer_id"),
        "customer_external_id": wanted.get("external_customer_id"),
        "subscription_id": upgraded["id"] if upgraded else None,
        "product_ids": [product["id"] for product in products],
        **dict.fromkeys(("seats", "min_seats", "max_seats", "units", "min_units", "max_units")),
        **_buyer(wanted, customer),
    }
    choose(world, doc, products[0], wanted.get("amount"))
    world.store.put("checkout", doc)
    jobs.at(world, "checkout.expire", parse(doc["expires_at"]), checkout_id=key)
    emit(world, "checkout.created", shapes.checkout(world, doc))
    return doc


def choose(world: World, doc: Doc, product: Doc, amount: int | None = None) -> None:
    """Make a product the one that is bought, and price it. The caller keeps the document.

    RuleError when the buyer may choose the amount and this one is outside the limits.
    """
    price = product["prices"][0]
    is_custom = price["amount_type"] == "custom"
    if is_custom and amount is not None:
        _check_amount(price, amount)
    doc["product_id"], doc["product_price_id"], doc["price"] = product["id"], price["id"], price
    chosen = price.get("preset_amount") or 0 if amount is None else amount
    doc["amount"] = chosen if is_custom else price["price_amount"]
    doc["currency"] = price["price_currency"]
    _set_trial(world, doc, product)
    doc["is_free_product_price"] = doc["amount"] == 0
    doc["is_discount_applicable"] = doc["amount"] != 0
    set_totals(world, doc)


def set_totals(world: World, doc: Doc) -> None:
    """The discount, the totals for the buyer's country as far as it is known, and what must be paid."""
    discount = world.store.get("discount", doc["discount_id"])
    doc["discount_amount"] = discounts.off(discount, doc["amount"], doc["currency"])
    left = doc["amount"] - doc["discount_amount"]
    tax = tax_on(left, doc["customer_billing_address"])
    doc.update(
        net_amount=tax.net, tax_amount=tax.tax, tax_behavior=tax.behavior, total_amount=tax.total
    )
    recurring = world.store.need("product", doc["product_id"])["is_recurring"]
    later = recurring and doc["amount"] != 0 and not discounts.is_free_forever(discount)
    doc["is_payment_required"] = left != 0 and doc["active_trial_interval"] is None
    doc["is_payment_setup_required"] = later
    doc["is_payment_form_required"] = doc["is_payment_required"] or later


def by_secret(world: World, secret: str) -> Doc | None:
    """The checkout with this client secret."""
    return world.store.first("checkout", {"secret": secret})


def expire(world: World, arguments: Doc) -> None:
    """Job: nobody has paid for 24 hours."""
    doc = world.store.need("checkout", arguments["checkout_id"])
    if doc["status"] == "open":
        world.touch("checkout", doc, status="expired")
        emit(world, "checkout.expired", shapes.checkout(world, doc))


def _products(world: World, keys: list[str]) -> list[Doc]:
    found, problems = [], []
    for place, key in enumerate(keys):
        product = world.store.get("product", key)
        where = ("body", "products", place)
        if product is None:
            problems.append(problem("value_error", where, "Product does not exist.", key))
        elif product["is_archived"]:
            problems.append(problem("value_error", where, "Product is archived.", key))
        elif product["visibility"] == "draft":
            problems.append(problem("value_error", where, "Product is a draft.", key))
        else:
            found.append(product)
    if problems:
        raise RuleError(problems)
    return found


def _discount(world: World, key: str | None, product: Doc) -> Doc | None:
    if key is None:
        return None
    doc = world.store.get("discount", key)
    return discounts.usable(world, doc, product, "discount_id", key)


def _upgraded(world: World, key: str | None) -> Doc | None:
    if key is None:
        return None
    subscription = world.store.get("subscription", key)
    if subscription is None:
        raise impossible("subscription_id", "Subscription does not exist.", key)
    if subscription["amount"] != 0:
        raise impossible("subscription_id", "Only free subscriptions can be upgraded.", key)
    return subscription


def _customer(world: World, wanted: dict[str, Any], upgraded: Doc | None) -> Doc | None:
    if upgraded:
        return world.store.need("customer", upgraded["customer_id"])
    if key := wanted.get("customer_id"):
        customer = world.store.get("customer", key)
        if customer is None or customer["deleted_at"]:
            raise impossible("customer_id", "Customer does not exist.", key)
        return customer
    return customers.by_external_id(world, wanted.get("external_customer_id"))


def _buyer(wanted: dict[str, Any], customer: Doc | None) -> Doc:
    """What is known of the buyer. An e-mail in the request stays on the checkout only."""
    known = customer or {}
    return {
        "customer_id": known.get("id"),
        "customer_name": wanted.get("customer_name") or known.get("name"),
        "customer_email": wanted.get("customer_email") or known.get("email"),
        "customer_billing_name": wanted.get("customer_billing_name") or known.get("billing_name"),
        "customer_billing_address": wanted.get("customer_billing_address")
        or known.get("billing_address"),
    }


def _processing(customer: Doc | None) -> Doc:
    """What a payment form needs; a buyer who came this way before may use the card on file."""
    found = {"publishable_key": "pk_test_local"}
    if customer and customer.get("processor_id"):
        found["customer_session_client_secret"] = f"cuss_secret_{customer['id'][:8]}local"
    return found


def _set_trial(world: World, doc: Doc, product: Doc) -> None:
    interval = doc["trial_interval"] or product["trial_interval"]
    count = doc["trial_interval_count"] or product["trial_interval_count"]
    wanted = interval and count and doc["allow_trial"] and product["is_recurring"]
    if not wanted or doc["subscription_id"]:
        doc.update(active_trial_interval=None, active_trial_interval_count=None, trial_end=None)
        return
    end = stamp(periods.add(world.now(), interval, count))
    doc.update(active_trial_interval=interval, active_trial_interval_count=count, trial_end=end)


def _check_amount(price: Doc, amount: int) -> None:
    least, most = price["minimum_amount"] or 0, price["maximum_amount"]
    if amount < least:
        raise impossible("amount", "Amount is below minimum.", amount)
    if most is not None and amount > most:
        raise impossible("amount", "Amount is above maximum.", amount)
