"""Customers, members, grants, sessions and the customer's state as the API shows them."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlencode

from polar_emulator.shapes import catalogue
from polar_emulator.store import Doc
from polar_emulator.world import World

Json = dict[str, Any]

CUSTOMER_KEYS = (
    "id", "created_at", "modified_at", "metadata", "external_id", "email", "email_verified",
    "type", "name", "billing_name", "billing_address", "tax_id", "locale", "organization_id",
    "default_payment_method_id", "deleted_at", "first_user_event_at",
)  # fmt: skip
STATE_SUBSCRIPTION_KEYS = (
    "id", "created_at", "modified_at", "custom_field_data", "metadata", "status", "amount",
    "currency", "recurring_interval", "current_period_start", "current_period_end",
    "trial_start", "trial_end", "cancel_at_period_end", "canceled_at", "started_at",
    "ends_at", "product_id", "discount_id", "seats", "units", "price_id",
)  # fmt: skip
ACTIVE_STATUSES = ("active", "trialing")


def customer(doc: Doc) -> Json:
    """A customer."""
    return {**{name: doc[name] for name in CUSTOMER_KEYS}, "avatar_url": _avatar(doc["email"])}


def user(doc: Doc) -> Json:
    """The deprecated `user` that subscriptions and orders still carry."""
    return {
        "id": doc["id"],
        "email": doc["email"],
        "public_name": (doc["name"] or doc["email"])[0],
        "avatar_url": _avatar(doc["email"]),
        "github_username": None,
    }


def member(doc: Doc) -> Json:
    """The one member that every individual customer has: as the customer was made, but for the e-mail."""
    return {
        "id": doc["member_id"],
        "created_at": doc["created_at"],
        "customer_id": doc["id"],
        "email": doc["email"],
        "role": "owner",
        **doc["member"],
    }


def state(world: World, doc: Doc) -> Json:
    """A customer with what is active now: trialing and active subscriptions, granted benefits."""
    mine = {"customer_id": doc["id"]}
    subscriptions = world.store.find("subscription", {**mine, "status": ACTIVE_STATUSES})
    grants = world.store.find("benefit_grant", {**mine, "is_granted": True})
    meters = world.store.find("customer_meter", mine)
    return {
        **customer(doc),
        "active_subscriptions": [_state_subscription(found) for found in subscriptions],
        "granted_benefits": [_state_grant(world, found) for found in grants],
        "active_meters": [state_meter(found) for found in meters],
    }


def state_meter(doc: Doc) -> Json:
    """What a customer has used of a meter, as their state shows it."""
    return {
        "id": doc["id"],
        "created_at": doc["created_at"],
        "modified_at": doc["modified_at"],
        "meter_id": doc["meter_id"],
        "consumed_units": doc["consumed_units"],
        "credited_units": doc["credited_units"],
        "balance": doc["credited_units"] - doc["consumed_units"],
    }


def grant(world: World, doc: Doc) -> Json:
    """A benefit grant as the API lists it."""
    owner = world.store.need("customer", doc["customer_id"])
    return {
        "created_at": doc["created_at"],
        "modified_at": doc["modified_at"],
        "id": doc["id"],
        "granted_at": doc["granted_at"],
        "is_granted": doc["is_granted"],
        "revoked_at": doc["revoked_at"],
        "is_revoked": doc["is_revoked"],
        "subscription_id": doc["subscription_id"],
        "order_id": doc["order_id"],
        "customer_id": owner["id"],
        "member_id": owner["member_id"],
        "benefit_id": doc["benefit_id"],
        "error": None,
        "customer": customer(owner),
        "member": member(owner),
        "benefit": catalogue.benefit(world.store.need("benefit", doc["benefit_id"])),
        "properties": {},
    }


def grant_event(world: World, doc: Doc) -> Json:
    """A benefit grant as webhooks carry it."""
    return {**grant(world, doc), "previous_properties": {}, "user_id": doc["customer_id"]}


def session(world: World, doc: Doc) -> Json:
    """A customer session with the address of the portal."""
    owner = world.store.need("customer", doc["customer_id"])
    query = urlencode({"customer_session_token": doc["secret"], "email": owner["email"]})
    slug = world.organization["slug"]
    return {
        "created_at": doc["created_at"],
        "modified_at": None,
        "id": doc["id"],
        "token": doc["secret"],
        "expires_at": doc["expires_at"],
        "return_url": doc["return_url"],
        "customer_portal_url": f"{world.public_url}/{slug}/portal?{query}",
        "customer_id": owner["id"],
        "customer": customer(owner),
    }


def _state_subscription(doc: Doc) -> Json:
    return {**{name: doc[name] for name in STATE_SUBSCRIPTION_KEYS}, "meters": []}


def _state_grant(world: World, doc: Doc) -> Json:
    benefit = world.store.need("benefit", doc["benefit_id"])
    return {
        "id": doc["id"],
        "created_at": doc["created_at"],
        "modified_at": doc["modified_at"],
        "granted_at": doc["granted_at"],
        "benefit_id": benefit["id"],
        "benefit_type": benefit["type"],
        "benefit_metadata": benefit["metadata"],
        "properties": {},
    }


def _avatar(email: str) -> str:
    digest = hashlib.sha256(email.lower().encode()).hexdigest()
    return f"https://www.gravatar.com/avatar/{digest}?d=404"
