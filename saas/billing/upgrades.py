"""The upgrade of a free subscription: one open checkout at a time, whatever plan it is for.

Polar checks that a customer buys one subscription, but not for a checkout that upgrades one: two of them
could both be paid, in full, for the same subscription. So the open one is gone on with, or made to be about
another plan; it is created with every plan that it may come to.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from saas.billing import catalogue, gateway, open_checkouts
from saas.billing.catalogue import UnknownProduct
from saas.billing.gateway import Answer, PolarNotFound, PolarRejected
from saas.billing.open_checkouts import Checkout, PaymentUnderWay
from saas.billing.wording import fixed_price
from saas.errors import AppError


class UpgradeOpen(AppError):
    """Another upgrade is open, maybe in another tab. ``url`` is where it can be paid.

    It is not exchanged unasked: a tab of Polar's that is open does not notice, and would show one price and
    charge another.
    """

    status = HTTPStatus.CONFLICT
    code = "upgrade_open"

    def __init__(self, checkout: Checkout, product_id: str) -> None:
        self.name = str((checkout.get("product") or {}).get("name") or "another plan")
        self.product_id, self.url = product_id, str(checkout.get("url"))
        self.ends: datetime | None = open_checkouts.ends(checkout)
        self.can_exchange = product_id in _offered_in(checkout)
        super().__init__(
            f"Your upgrade to {self.name} is still open, so we did not start another one. "
            "Go on with it, or exchange it."
        )


def plans(product_id: str) -> list[str]:
    """Return the products that an upgrade to this one may be exchanged for, itself first."""
    found = [
        product.polar_id
        for product in catalogue.products_for_sale()
        if product.is_recurring and (fixed_price(product) or (1, ""))[0] > 0
    ]
    return [product_id, *(other for other in found if other != product_id)]


def again(found: list[Answer], fields: dict[str, Any], *, exchange: bool) -> Checkout | None:
    """Return the open upgrade, made to be what these ``fields`` would make; ``None`` when there is none.

    Raises ``UpgradeOpen`` when it is for another plan and shall not, or cannot, be exchanged.
    """
    mine = [
        answer.data
        for answer in found
        if answer.data.get("status") == "open"
        and answer.data.get("subscription_id") == fields["subscription_id"]
        and open_checkouts.ends(answer.data) > answer.observed_at
        and open_checkouts.is_at_todays_price(answer.data)  # Polar takes no payment at another one.
    ]
    wanted = fields["products"][0]
    same = next((each for each in mine if each.get("product_id") == wanted), None)
    if same is not None or not mine:
        return _about(same, fields) if same else None
    if not exchange or wanted not in _offered_in(mine[0]):
        raise UpgradeOpen(mine[0], wanted)
    return _about(mine[0], fields)


def _about(checkout: Checkout, fields: dict[str, Any]) -> Checkout:
    """Make an open checkout be about what is wanted, unless it is."""
    wanted = {name: fields[name] for name in ("metadata", "return_url", "allow_trial")}
    wanted["product_id"] = fields["products"][0]
    if all(checkout.get(name) == value for name, value in wanted.items()):
        return checkout
    try:
        changed: Checkout = gateway.update_checkout(
            str(checkout["id"]), success_url=fields["success_url"], **wanted
        ).data
    except (PolarRejected, PolarNotFound) as error:
        if error.complains_of_field("product_id"):
            raise UnknownProduct from None
        raise PaymentUnderWay(str(checkout["id"])) from None  # It was paid, or expired, just now.
    return changed


def _offered_in(checkout: Checkout) -> set[str]:
    return {str(product.get("id")) for product in checkout.get("products") or []}
