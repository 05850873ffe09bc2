"""The checkouts of a customer that are still going on at Polar.

Polar sells one subscription to a customer. Of two open checkouts the second could not be paid any more, and
Polar has no call to close one; so the one that is open is gone on with, in whatever tab. For the upgrade of
a free subscription Polar does not check that: see ``upgrades``.
"""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from saas.billing import gateway
from saas.billing.gateway import Answer, PolarNotFound, PolarRejected
from saas.errors import AppError
from saas.kit.datetimes import parse_datetime

Checkout = dict[str, Any]

TIME_TO_PAY = timedelta(
    hours=1
)  # One that expires sooner is not worth going on with; Polar gives a day.
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
PROCESSING = timedelta(minutes=10)  # A payment that takes longer will not come any more.


class PaymentUnderWay(AppError):
    """Another tab has just paid, and Polar is still at it. ``checkout_id`` is where it can be watched."""

    status = HTTPStatus.CONFLICT
    code = "payment_under_way"
    message = "A payment of yours is being processed, so we did not start another one."

    def __init__(self, checkout_id: str) -> None:
        super().__init__()
        self.checkout_id = checkout_id


def of(customer_ids: list[str]) -> list[Answer]:
    """Return those that are open, or paid and being processed. Raises ``gateway.PolarError``."""
    return [
        each for customer_id in customer_ids for each in gateway.checkouts_going_on(customer_id)
    ]


def being_paid(found: list[Answer], product_id: str, *, is_recurring: bool) -> str | None:
    """Return the id of a checkout whose payment is under way and that stands in the way of another one.

    That is one of the same product, and for a subscription that of any subscription.
    """
    for answer in found:
        checkout: Checkout = answer.data
        same = checkout.get("product_id") == product_id
        competes = is_recurring and (checkout.get("product") or {}).get("recurring_interval")
        recent = _moment(checkout, "modified_at") > answer.observed_at - PROCESSING
        if checkout.get("status") == "confirmed" and recent and (same or competes):
            return str(checkout.get("id"))
    return None


def again(found: list[Answer], fields: dict[str, Any]) -> Checkout | None:
    """Return an open checkout that is what these ``fields`` would make, with their metadata, or ``None``."""
    for answer in found:
        lasts = ends(answer.data) > answer.observed_at + TIME_TO_PAY
        if lasts and _is_like(answer.data, fields):
            return _with_metadata(answer.data, fields["metadata"])
    return None


def ends(checkout: Checkout) -> datetime:
    """Return when it expires by itself."""
    return _moment(checkout, "expires_at")


def is_at_todays_price(checkout: Checkout) -> bool:
    """True when its price is still one of its product's."""
    prices = (checkout.get("product") or {}).get("prices") or []
    asked = {price.get("id") for price in prices if not price.get("is_archived")}
    return checkout.get("product_price_id") in asked


def _is_like(checkout: Checkout, fields: dict[str, Any]) -> bool:
    return (
        checkout.get("status") == "open"
        and [checkout.get("product_id")] == fields["products"]
        and is_at_todays_price(checkout)
        and checkout.get("subscription_id") is None
        and (checkout.get("allow_trial") is not False) == fields["allow_trial"]
        and checkout.get("return_url") == fields["return_url"]
        and (checkout.get("metadata") or {}).get("user_id") == fields["metadata"]["user_id"]
    )


def _with_metadata(checkout: Checkout, metadata: dict[str, Any]) -> Checkout | None:
    if checkout.get("metadata") == metadata:
        return checkout
    try:
        changed: Checkout = gateway.update_checkout(str(checkout["id"]), metadata=metadata).data
    except (PolarRejected, PolarNotFound):  # It was paid, or expired, in this moment.
        return None
    return changed


def _moment(checkout: Checkout, name: str) -> datetime:
    try:
        found = parse_datetime(checkout.get(name))
    except ValueError:
        found = None
    return found or LONG_AGO
