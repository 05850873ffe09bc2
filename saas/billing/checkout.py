"""From a choice on the pricing page to Polar's checkout, and back."""

import logging
import uuid
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from flask import url_for
from sqlalchemy import or_, select

from saas.accounts.models import User
from saas.billing import (
    carried_over,
    catalogue,
    customers,
    gateway,
    open_checkouts,
    reconcile,
    subscriptions,
    turns,
    upgrades,
)
from saas.billing.catalogue import UnknownProduct
from saas.billing.customers import AddressRefused
from saas.billing.gateway import PolarNotFound, PolarRejected
from saas.billing.holdings import PAID_ORDER_STATUSES
from saas.billing.models import Customer, Grant, Order, Product, Subscription
from saas.billing.open_checkouts import PaymentUnderWay
from saas.config import current
from saas.errors import AppError
from saas.extensions import db
from saas.kit.datetimes import parse_datetime, utcnow
from saas.kit.money import format_money
from saas.kit.urls import absolute

log = logging.getLogger(__name__)

# Anything else stands in the way of another one: a paused one is resumed, and of a status that we do not
# know yet nobody can say that Polar would take a second one.
OVER = frozenset({"canceled", "unpaid", "incomplete", "incomplete_expired"})
GRANT_PATIENCE = timedelta(seconds=30)  # Polar grants benefits a moment after the payment.
REFRESH_SECONDS = 2


class AlreadySubscribed(AppError):
    """Polar would refuse a second subscription at the very end, so we do not let it come to that."""

    status = HTTPStatus.CONFLICT
    code = "already_subscribed"
    message = "You already have a subscription. Change it in your billing settings."


class AlreadyYours(AppError):
    """What lasts for ever need not be bought again."""

    status = HTTPStatus.CONFLICT
    code = "already_yours"
    message = "You have bought this already, and it is yours for good. Nothing was charged."


class UnknownCheckout(AppError):
    """No such checkout, or somebody else's; we do not tell which."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_checkout"
    message = "We do not know this payment."


@dataclass(frozen=True)
class Confirmation:
    """What the confirmation page shows. ``state`` is Polar's, ``succeeded`` only once our copy has it."""

    state: str
    product_name: str
    is_one_time: bool
    amount: str
    refresh_seconds: int = REFRESH_SECONDS


@dataclass(frozen=True)
class Started:
    """A checkout at Polar: its id, and where the customer pays."""

    id: str
    url: str


def start(
    user: User,
    product_id: str | None,
    metadata: dict[str, str | int | float | bool] | None = None,
    *,
    exchange: bool = False,
) -> Started:
    """Create a checkout for a product, or go on with the one that is open in another tab.

    ``metadata`` is copied to the subscription or order by Polar; ``exchange`` allows an open upgrade to
    another plan to become this one. Raises ``catalogue.UnknownProduct`` or ``MalformedProduct``,
    ``AlreadySubscribed``, ``AlreadyYours``, ``PaymentUnderWay``, ``upgrades.UpgradeOpen``,
    ``turns.CheckoutInPreparation``, ``customers.AddressTaken`` or ``AddressRefused``, or
    ``gateway.PolarError``; nothing is left half done.
    """
    with turns.taken(user.id):
        return _start(user, product_id, metadata or {}, exchange=exchange)


def confirm(user: User, checkout_id: str | None) -> Confirmation:
    """Look up a checkout at Polar, bring our copy up to date, and say how it stands.

    It grants nothing by itself: access follows from what Polar says about subscriptions and orders.
    Raises ``UnknownCheckout`` or ``gateway.PolarError``.
    """
    data = own(user, checkout_id)
    state = str(data.get("status"))
    product = data.get("product") or {}
    if state == "succeeded":
        reconcile.pull_user(user)
        carried_over.undo_for(user)
        if not _has_arrived(data):
            state = "confirmed"
    amount, currency = data.get("total_amount"), data.get("currency")
    return Confirmation(
        state=state
        if state in {"open", "expired", "confirmed", "succeeded", "failed"}
        else "confirmed",
        product_name=str(product.get("name") or ""),
        is_one_time=bool(product) and not product.get("recurring_interval"),
        amount=format_money(amount, str(currency)) if isinstance(amount, int) and currency else "",
    )


def own(user: User, checkout_id: str | None) -> dict[str, Any]:
    """Return a checkout of this user as Polar shows it. Raises ``UnknownCheckout`` or ``PolarError``."""
    public_id = user.public_id
    try:
        data: dict[str, Any] = gateway.checkout(str(uuid.UUID(checkout_id or ""))).data
    except (ValueError, PolarNotFound):
        raise UnknownCheckout from None
    if public_id in {data.get("external_customer_id"), data.get("customer_external_id")}:
        return data
    owner = db.session.get(Customer, str(data.get("customer_id")))
    if owner is None or owner.user_id != user.id:
        raise UnknownCheckout
    return data


def _start(
    user: User,
    product_id: str | None,
    metadata: dict[str, str | int | float | bool],
    *,
    exchange: bool,
) -> Started:
    product = catalogue.product_for_sale(product_id)
    polar_product_id, is_recurring = product.polar_id, product.is_recurring
    lasts_for_ever = product.lasts_for_ever
    public_id, address = user.public_id, user.email
    had_trial = subscriptions.had_trial(user)
    mine = customers.ensure_all(user)
    upgrade = _free_subscription(mine, polar_product_id) if is_recurring else None
    if lasts_for_ever:
        _refuse_second(mine, polar_product_id)
    fields = _addresses(polar_product_id) | {
        "products": [polar_product_id],
        "metadata": metadata | {"user_id": public_id},
        "allow_trial": not (had_trial or upgrade),  # As the price card says.
    }
    going_on = open_checkouts.of(mine)
    if paid := open_checkouts.being_paid(going_on, polar_product_id, is_recurring=is_recurring):
        raise PaymentUnderWay(paid)
    if upgrade:  # A subscription brings its customer.
        fields |= {"subscription_id": upgrade, "products": upgrades.plans(polar_product_id)}
        data = upgrades.again(going_on, fields, exchange=exchange) or _create(fields)
    else:
        fields |= {"external_customer_id": public_id, "customer_email": address}
        data = open_checkouts.again(going_on, fields) or _create(fields)
    return Started(str(data.get("id")), _address(data.get("url")))


def _addresses(product_id: str) -> dict[str, Any]:
    """Where Polar leads a customer who has paid, and one who comes back without having paid."""
    base = current().base_url
    returned = url_for("billing.checkout_return", product_id=product_id)
    return {
        "success_url": absolute(base, url_for("billing.confirmation"))
        + "?checkout_id={CHECKOUT_ID}",
        "return_url": absolute(base, returned),
    }


def _create(fields: dict[str, Any]) -> dict[str, Any]:
    try:
        made: dict[str, Any] = gateway.create_checkout(**fields).data
    except PolarRejected as error:
        if any("products" in (problem.get("loc") or []) for problem in error.errors):
            if len(fields["products"]) > 1:  # Maybe one that it could have been exchanged for.
                return _create(fields | {"products": fields["products"][:1]})
            raise UnknownProduct from None
        if error.complains_of_field("customer_email"):
            raise AddressRefused from None
        raise
    return made


def _refuse_second(customer_ids: list[str], product_id: str) -> None:
    """Raise ``AlreadyYours`` when it is paid for. Asks Polar: a second click comes before the webhook."""
    for answer in (order for each in customer_ids for order in gateway.customer_orders(each)):
        paid = answer.data.get("status") in PAID_ORDER_STATUSES
        if paid and answer.data.get("product_id") == product_id:
            raise AlreadyYours


def _free_subscription(customer_ids: list[str], product_id: str) -> str | None:
    """Return the free subscription to upgrade, if there is one. Asks Polar: our copy may be late."""
    found = (each.data for key in customer_ids for each in gateway.customer_subscriptions(key))
    standing = [each for each in found if each.get("status") not in OVER]
    if any(each.get("amount") or each.get("product_id") == product_id for each in standing):
        raise AlreadySubscribed
    return str(standing[0]["id"]) if standing else None


def _has_arrived(data: dict[str, object]) -> bool:
    """True when our copy holds what was bought, and its features unless Polar is late with them."""
    bought = [str(data.get("id")), str(data.get("subscription_id"))]
    ids = set(
        db.session.scalars(
            select(Subscription.polar_id)
            .where(or_(Subscription.checkout_id == bought[0], Subscription.polar_id == bought[1]))
            .union(select(Order.polar_id).where(Order.checkout_id == bought[0]))
        )
    )
    if not ids:
        return False
    product = db.session.get(Product, str(data.get("product_id")))
    if product is None or not _is_recent(data):
        return True
    sources = or_(Grant.subscription_id.in_(ids), Grant.order_id.in_(ids))
    granted = set(db.session.scalars(select(Grant.benefit_id).where(Grant.is_granted, sources)))
    flags = (each for each in product.benefits if each.get("type") == "feature_flag")
    return granted.issuperset(str(flag.get("id")) for flag in flags)


def _is_recent(data: dict[str, object]) -> bool:
    try:
        changed = parse_datetime(data.get("modified_at"))
    except ValueError:
        return False
    return changed is not None and utcnow() - changed < GRANT_PATIENCE


def _address(url: object) -> str:
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise PolarRejected("checkout without a usable address")
    return url
