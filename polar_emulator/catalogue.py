"""The demo state: an organisation that sells a small SaaS, with ids that never change."""

from __future__ import annotations

import uuid
from typing import Any

from polar_emulator.events import EVENT_TYPES
from polar_emulator.rules import endpoints, products
from polar_emulator.store import Doc
from polar_emulator.world import World

NAMESPACE = uuid.UUID("6f0b7d0e-52d5-5f0e-9a52-0a8a2b1c7f10")
RESET_PATIENCE_SECONDS = 1.0
EMAIL_SETTINGS = (
    "order_confirmation", "payment_method_expiration_reminder", "subscription_cancellation",
    "subscription_confirmation", "subscription_cycled", "subscription_cycled_after_trial",
    "subscription_past_due", "subscription_paused", "subscription_resumed",
    "subscription_renewal_reminder", "subscription_revoked",
    "subscription_trial_conversion_reminder", "subscription_uncanceled",
    "subscription_updated",
)  # fmt: skip
FEATURES_OFF = (
    "issue_funding_enabled", "unit_based_pricing_enabled", "wallets_enabled",
    "checkout_localization_enabled", "reset_proration_behavior_enabled",
    "off_session_charges_enabled", "meter_cycling_enabled", "slack_benefit_enabled",
    "preview_access_enabled", "disputes_enabled", "sso_enabled",
    "dispute_auto_accept_enabled", "compass_enabled", "merchant_migration_enabled",
)  # fmt: skip
CAPABILITIES = (
    "checkout_payments", "subscription_renewals", "payouts", "refunds", "api_access",
    "dashboard_access",
)  # fmt: skip
BENEFITS: dict[str, dict[str, Any]] = {
    "3 projects": {"feature": "projects", "limit": 3},
    "25 projects": {"feature": "projects", "limit": 25},
    "100 projects": {"feature": "projects", "limit": 100},
    "Reports": {"feature": "reports"},
    "API access": {"feature": "api_access"},
}
PRODUCTS: list[dict[str, Any]] = [
    {
        "name": "Free",
        "description": "Everything you need to try it out with a small project. No card required.",
        "interval": "month",
        "amount": 0,
        "metadata": {"plan": "free", "order": 1},
        "benefits": ["3 projects"],
    },
    {
        "name": "Pro Monthly",
        "description": "For people who work with it every day: more projects and reports you can share.",
        "interval": "month",
        "amount": 2000,
        "metadata": {"plan": "pro", "order": 2, "highlight": True},
        "benefits": ["25 projects", "Reports"],
    },
    {
        "name": "Pro Yearly",
        "description": "Pro, billed once a year. Two months are on us.",
        "interval": "year",
        "amount": 20000,
        "metadata": {"plan": "pro", "order": 3, "highlight": True},
        "benefits": ["25 projects", "Reports"],
    },
    {
        "name": "Team Monthly",
        "description": "For teams that build on top: room to grow and full API access. "
        "Try it free for 14 days.",
        "interval": "month",
        "amount": 5000,
        "metadata": {"plan": "team", "order": 4},
        "trial_days": 14,
        "benefits": ["100 projects", "Reports", "API access"],
    },
    {
        "name": "Lifetime",
        "description": "Pay once and keep the Pro features for as long as the product exists.",
        "interval": None,
        "amount": 39900,
        "metadata": {"plan": "lifetime", "order": 6},
        "benefits": ["25 projects", "Reports"],
    },
]


def stable_id(kind: str, name: str) -> str:
    """The id of a demo object: the same on every machine and after every reset."""
    return str(uuid.uuid5(NAMESPACE, f"{kind}:{name}"))


def seed(world: World) -> None:
    """Fill an empty store. No events are sent: this is how the world began."""
    with world.store.transaction():
        world.store.put("organization", _organization(world))
        for name, metadata in BENEFITS.items():
            key = stable_id("benefit", name)
            fields = {"type": "feature_flag", "description": name, "metadata": metadata}
            products.create_benefit(world, {"id": key, "visibility": "public", **fields})
        for product in PRODUCTS:
            products.create(world, _product(product))
        for event in world.store.find("event"):
            world.store.remove("event", event["id"])
        ensure_endpoint(world)


def reset(world: World) -> None:
    """Back to the demo state: customers, purchases, events and the clock's offset are gone.

    A delivery on its way is given a second, so that it does not arrive in the middle of what follows.
    """
    with world.stepping, world.store.transaction():
        world.store.clear()
        world.clock.reset()
        world.requests.clear()
        world.faults.clear()
        seed(world)
    if world.delivering.acquire(timeout=RESET_PATIENCE_SECONDS):
        world.delivering.release()


def ensure_endpoint(world: World) -> None:
    """Keep the endpoint of the settings, if they name one, as they say now."""
    key = stable_id("webhook_endpoint", "settings")
    world.store.remove("webhook_endpoint", key)
    if world.settings.webhook_url:
        fields = {
            "id": key,
            "url": world.settings.webhook_url,
            "name": "From the settings",
            "secret": world.settings.webhook_secret,
            "uses_standard_webhook_signature": world.settings.webhook_standard,
            "events": EVENT_TYPES,
        }
        endpoints.create(world, fields)


def _product(given: dict[str, Any]) -> dict[str, Any]:
    name = given["name"]
    trial = given.get("trial_days")
    price = {
        "id": stable_id("price", name),
        "amount_type": "fixed",
        "price_amount": given["amount"],
        "price_currency": "usd",
    }
    return {
        "id": stable_id("product", name),
        "name": name,
        "description": given["description"],
        "recurring_interval": given["interval"],
        "trial_interval": "day" if trial else None,
        "trial_interval_count": trial,
        "metadata": given["metadata"],
        "prices": [price],
        "benefit_ids": [stable_id("benefit", benefit) for benefit in given["benefits"]],
    }


def _organization(world: World) -> Doc:
    return {
        "created_at": world.stamp(),
        "modified_at": None,
        "id": stable_id("organization", "demo"),
        "name": "Demo",
        "slug": "demo",
        "avatar_url": None,
        "proration_behavior": "prorate",
        "allow_customer_updates": True,
        **dict.fromkeys(("bio", "company", "blog", "location", "twitter_username")),
        "pledge_minimum_amount": 0,
        "pledge_badge_show_amount": False,
        "default_upfront_split_to_contributors": None,
        "email": "support@example.com",
        "website": None,
        "socials": [],
        "status": "active",
        "details_submitted_at": None,
        "onboarding_resubmission_requested_at": None,
        "sso_enforced": False,
        "default_presentment_currency": "usd",
        "default_tax_behavior": "location",
        "feature_settings": {
            **dict.fromkeys(FEATURES_OFF, False),
            "seat_based_pricing_enabled": True,
            "member_model_enabled": True,
            "overview_metrics": None,
        },
        "subscription_settings": {
            "allow_multiple_subscriptions": False,
            "proration_behavior": "prorate",
            "benefit_revocation_grace_period": 0,
            "prevent_trial_abuse": False,
            "allow_customer_updates": True,
        },
        "customer_email_settings": dict.fromkeys(EMAIL_SETTINGS, True),
        "customer_portal_settings": {
            "usage": {"show": True},
            "subscription": {"update_seats": True, "update_plan": True},
            "customer": {"allow_email_change": True},
        },
        "dispute_settings": {"auto_accept_below_amount": None},
        "embed_hosts": [],
        "embed_hosts_enforced": True,
        "country": None,
        "account_id": stable_id("account", "demo"),
        "payout_account_id": None,
        "capabilities": dict.fromkeys(CAPABILITIES, True),
        "notification_settings": {
            "new_order": True,
            "new_subscription": True,
            "chargeback_prevention": True,
            "subscription_renewal": False,
        },
    }
