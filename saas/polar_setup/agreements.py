"""What is said in two places, at Polar and here, and has to be the same: doctor's look at both."""

from typing import Any

from saas.billing import markings
from saas.billing.entitlements import FREE, Entitlements, of_benefits
from saas.config import current
from saas.polar_setup import organization
from saas.polar_setup.findings import Finding, bad, good

Json = dict[str, Any]
POLAR_GRACE_DAYS = (0, 2, 7, 14, 21)  # What Polar offers.


def examine(settings: Json) -> list[Finding]:
    """Compare the ``subscription_settings`` of the organisation, and its free product, with ours."""
    told = [_grace(settings), _one_subscription(settings)] if settings else []
    products = organization.products()
    return [*told, _free_plan(products), _metadata(products)]


def _grace(settings: Json) -> Finding:
    ours, there = current().past_due_grace_days, settings.get("benefit_revocation_grace_period")
    if ours == there:
        return good("grace period", f"Both keep a plan for {ours} days after a failed payment.")
    words = f"Polar keeps benefits for {there} days after a failed payment, we keep the plan for {ours}."
    cure = f"Set PAST_DUE_GRACE_DAYS={there}"
    if ours in POLAR_GRACE_DAYS:
        cure += f", or {ours} days in Polar (Settings, Billing: grace period for benefits)"
    return bad("grace period", words, f"{cure}.")


def _one_subscription(settings: Json) -> Finding:
    if not settings.get("allow_multiple_subscriptions"):
        return good("subscriptions", "Polar takes one subscription from each customer.")
    words = "Polar takes several subscriptions from a customer: a second tab would charge a second time."
    cure = "Switch off multiple subscriptions in Polar (Settings, Billing)."
    return bad("subscriptions", words, cure)


def _metadata(products: list[Json]) -> Finding:
    """What the merchant wrote and nobody can read would be missing in the plan without a word."""
    found: dict[str, None] = {}  # In this order, and once for a benefit of several products.
    for product in products:
        meta = product.get("metadata") or {}
        found |= dict.fromkeys(markings.mistakes_of_product(str(product.get("name")), meta))
        for benefit in product.get("benefits") or []:
            if benefit.get("type") == "feature_flag":
                named, meta = str(benefit.get("description")), benefit.get("metadata") or {}
                found |= dict.fromkeys(markings.mistakes_of_benefit(named, meta))
    if not found:
        return good("metadata", "What the metadata of products and benefits says can be read.")
    words = f"Polar has metadata that says nothing: {'. '.join(found)}."
    return bad("metadata", words, "Change it in Polar (Products), then run: flask billing sync")


def _free_plan(catalogue: list[Json]) -> Finding:
    """What somebody has who never chose a plan, beside what the product for nothing gives."""
    products = [each for each in catalogue if _is_free_plan(each)]
    if not products:
        return good(
            "free plan", "Polar sells no free plan; FREE in the code says what it includes."
        )
    for product in products:
        given = of_benefits(product.get("benefits") or [])
        if _gist(given) != _gist(FREE):
            words = f"{product['name']} at Polar gives {_words(given)}, FREE in the code {_words(FREE)}."
            cure = "Change its benefits in Polar, or FREE in saas/billing/entitlements.py."
            return bad("free plan", words, cure)
    return good("free plan", f"{products[0]['name']} at Polar gives what FREE in the code says.")


def _is_free_plan(product: Json) -> bool:
    is_sold = not product.get("is_archived") and product.get("is_recurring", True)
    named = (product.get("metadata") or {}).get("plan") or product.get("name")
    return bool(is_sold) and named == FREE.plan.key


def _gist(entitled: Entitlements) -> tuple[list[str], dict[str, int]]:
    """Return features and limits; a feature that only carries its limit is said by the limit."""
    return sorted(entitled.features - entitled.limits.keys()), entitled.limits


def _words(entitled: Entitlements) -> str:
    features, limits = _gist(entitled)
    counts = [f"{name} {count}" for name, count in sorted(limits.items())]
    return ", ".join([*features, *counts]) or "nothing"
