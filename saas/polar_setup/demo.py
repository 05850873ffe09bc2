"""The demo catalogue that ``flask polar setup --products`` creates: change it, then create yours.

``plan`` in the metadata is the name that code uses, ``order`` the place on the pricing page. A feature
flag names a feature, and a limit, in its metadata.
"""

from typing import Any

Json = dict[str, Any]

FEATURE_FLAGS: dict[str, Json] = {
    "3 projects": {"feature": "projects", "limit": 3},
    "25 projects": {"feature": "projects", "limit": 25},
    "100 projects": {"feature": "projects", "limit": 100},
    "Reports": {"feature": "reports"},
    "API access": {"feature": "api_access"},
}


def _product(
    name: str, plan: str, order: int, cents: int, interval: str | None, *flags: str, **more: Any
) -> tuple[Json, tuple[str, ...]]:
    metadata = {"plan": plan, "order": order} | more.pop("metadata", {})
    fields = {"name": name, "metadata": metadata, **more}
    if interval:
        fields["recurring_interval"] = interval
    price = {"amount_type": "fixed", "price_amount": cents, "price_currency": "usd"}
    return fields | {"prices": [price if cents else {"amount_type": "free"}]}, flags


PRODUCTS: list[tuple[Json, tuple[str, ...]]] = [
    _product(
        "Free", "free", 1, 0, "month", "3 projects",
        description="Everything you need to try it out with a small project. No card required.",
    ),
    _product(
        "Pro Monthly", "pro", 2, 2000, "month", "25 projects", "Reports",
        description="For people who work with it every day: more projects and reports to share.",
        metadata={"highlight": True},
    ),
    _product(
        "Pro Yearly", "pro", 3, 20000, "year", "25 projects", "Reports",
        description="Pro, billed once a year. Two months are on us.",
        metadata={"highlight": True},
    ),
    _product(
        "Team Monthly", "team", 4, 5000, "month", "100 projects", "Reports", "API access",
        description="For teams that build on top: room to grow and full API access.",
        trial_interval="day", trial_interval_count=14,
    ),
    _product(
        "Lifetime", "lifetime", 6, 39900, None, "25 projects", "Reports",
        description="Pay once and keep the Pro features for as long as the product exists.",
    ),
]  # fmt: skip
