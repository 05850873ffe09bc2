"""What ends with a deleted customer: grants first, then subscriptions, as recorded."""

from __future__ import annotations

from polar_emulator.rules import grants, subscriptions
from polar_emulator.store import Doc
from polar_emulator.world import World


def end_purchases(world: World, arguments: Doc) -> None:
    """Job: revoke the grants and end the subscriptions of a deleted customer."""
    customer_id = arguments["customer_id"]
    grants.revoke_all(world, customer_id)
    where = {"customer_id": customer_id, "ended_at": None}
    for subscription in world.store.find("subscription", where):
        subscriptions.revoke(world, subscription)
