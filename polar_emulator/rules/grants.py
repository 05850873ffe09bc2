"""Grants: who may use what, following subscriptions and one-time orders."""

from __future__ import annotations

from datetime import datetime, timedelta

from polar_emulator.clock import parse
from polar_emulator.events import emit
from polar_emulator.rules.customers import state_changed
from polar_emulator.shapes import customers as shapes
from polar_emulator.store import Doc
from polar_emulator.world import World

LIVE_STATUSES = ("active", "trialing")


def follow_subscription(world: World, arguments: Doc) -> None:
    """Job: make the grants of a subscription what its product and status call for."""
    subscription = world.store.need("subscription", arguments["subscription_id"])
    product = world.store.need("product", subscription["product_id"])
    wanted = product["benefit_ids"] if _is_entitled(world, subscription) else []
    source = {"subscription_id": subscription["id"], "order_id": None}
    _match(world, subscription["customer_id"], source, wanted)
    if arguments.get("cycled"):
        _cycle(world, source, wanted)


def follow_order(world: World, arguments: Doc) -> None:
    """Job: grant what a one-time order bought."""
    order = world.store.need("order", arguments["order_id"])
    product = world.store.need("product", order["product_id"])
    source = {"subscription_id": None, "order_id": order["id"]}
    wanted = [] if order.get("benefits_revoked") else product["benefit_ids"]
    _match(world, order["customer_id"], source, wanted)


def revoke_all(world: World, customer_id: str) -> None:
    """Revoke every grant of a customer."""
    for grant in world.store.find(
        "benefit_grant", {"customer_id": customer_id, "is_granted": True}
    ):
        _revoke(world, grant)


def revoke_benefit(world: World, benefit_id: str) -> None:
    """Revoke every grant of a benefit."""
    for grant in world.store.find("benefit_grant", {"benefit_id": benefit_id, "is_granted": True}):
        _revoke(world, grant)


def grace_end(world: World, subscription: Doc) -> datetime | None:
    """Until when the benefits of a past due subscription stay; None without a grace period."""
    days = world.organization["subscription_settings"]["benefit_revocation_grace_period"]
    if not days or not subscription["past_due_at"]:
        return None
    return parse(subscription["past_due_at"]) + timedelta(days=days)


def _is_entitled(world: World, subscription: Doc) -> bool:
    if subscription["status"] == "past_due":
        until = grace_end(world, subscription)
        return until is not None and world.now() < until
    return subscription["status"] in LIVE_STATUSES


def _match(world: World, customer_id: str, source: Doc, wanted: list[str]) -> None:
    held = {found["benefit_id"]: found for found in _of(world, source)}
    for benefit_id in wanted:
        if benefit_id not in held or not held[benefit_id]["is_granted"]:
            _grant(world, customer_id, source, benefit_id, held.get(benefit_id))
    for benefit_id, grant in held.items():
        if grant["is_granted"] and benefit_id not in wanted:
            _revoke(world, grant)


def _grant(world: World, customer_id: str, source: Doc, benefit_id: str, again: Doc | None) -> None:
    now = world.stamp()
    change = {"granted_at": now, "is_granted": True, "revoked_at": None, "is_revoked": False}
    if again:
        grant = world.touch("benefit_grant", again, **change)
    else:
        grant = world.store.put(
            "benefit_grant",
            {
                "id": world.new_id(),
                "created_at": now,
                "modified_at": None,
                "customer_id": customer_id,
                "benefit_id": benefit_id,
                **source,
                **change,
            },
        )
    emit(world, "benefit_grant.created", shapes.grant_event(world, grant))
    state_changed(world, customer_id)


def _revoke(world: World, grant: Doc) -> None:
    world.touch(
        "benefit_grant",
        grant,
        granted_at=None,
        is_granted=False,
        revoked_at=world.stamp(),
        is_revoked=True,
    )
    emit(world, "benefit_grant.revoked", shapes.grant_event(world, grant))
    state_changed(world, grant["customer_id"])


def _cycle(world: World, source: Doc, wanted: list[str]) -> None:
    for grant in _of(world, source):
        if grant["is_granted"] and grant["benefit_id"] in wanted:
            world.touch("benefit_grant", grant)
            emit(world, "benefit_grant.cycled", shapes.grant_event(world, grant))
            state_changed(world, grant["customer_id"])


def _of(world: World, source: Doc) -> list[Doc]:
    return world.store.find("benefit_grant", source)
