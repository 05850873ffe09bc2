"""The organisation: what its owner can set."""

from __future__ import annotations

from typing import Any

from polar_emulator.events import emit
from polar_emulator.shapes import catalogue as shapes
from polar_emulator.store import Doc
from polar_emulator.world import World

# Facts, section 7: days for which benefits stay after a failed renewal.
GRACE_DAYS = (0, 2, 7, 14, 21)
PRORATION_BEHAVIORS = ("invoice", "prorate", "next_period")


def update(world: World, doc: Doc, changes: dict[str, Any]) -> Doc:
    """Change the organisation; settings that are not named stay."""
    wanted = {name: changes[name] for name in ("name", "email", "website") if changes.get(name)}
    settings = {**doc["subscription_settings"], **(changes.get("subscription_settings") or {})}
    world.touch(
        "organization",
        doc,
        **wanted,
        subscription_settings=settings,
        proration_behavior=settings["proration_behavior"],
        allow_customer_updates=settings["allow_customer_updates"],
    )
    emit(world, "organization.updated", shapes.organization(doc))
    return doc
