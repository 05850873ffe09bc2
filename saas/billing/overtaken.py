"""A checkout that cannot be paid any more, because another tab has bought a subscription meanwhile.

Polar refuses it at the very end with "You already have an active subscription" and a way back; this is what
the way back leads to.
"""

from dataclasses import dataclass

from saas.accounts.models import User
from saas.billing import catalogue, notices, reconcile, subscriptions
from saas.billing.catalogue import MalformedProduct, UnknownProduct
from saas.billing.gateway import PolarError
from saas.billing.wording import product_name


@dataclass(frozen=True)
class Overtaken:
    """What to tell, and the product that a switch would lead to; none when it is the present one."""

    words: str
    switch_to: str | None = None


def by_another_tab(user: User, product_id: str | None) -> Overtaken | None:
    """Return what became of a checkout for this product, or ``None`` when it may still be paid."""
    try:
        wanted = catalogue.product_for_sale(product_id)
    except (MalformedProduct, UnknownProduct):
        return None
    polar_id, name, is_recurring = wanted.polar_id, wanted.name, wanted.is_recurring
    try:
        reconcile.pull_user(user)
        notices.after_change_for(user)
    except PolarError:
        pass  # Then what we know must do; its webhook may have come before.
    mine = subscriptions.main(user)
    if not is_recurring or mine is None or not mine.is_current or mine.is_free:
        return None
    if mine.product_id == polar_id:
        return Overtaken(f"You already have {name}, so nothing was bought a second time.")
    present = product_name(mine.product_id)
    words = (
        f"You already have {present}, so no second subscription was started. You can switch here."
    )
    return Overtaken(words, polar_id)
