"""Webhook endpoints: where deliveries go and how they are signed."""

from __future__ import annotations

from typing import Any

from polar_emulator.events import API_VERSION
from polar_emulator.rules.checkouts import random_secret
from polar_emulator.store import Doc
from polar_emulator.world import World

FIELDS = ("url", "name", "events", "enabled", "format", "uses_standard_webhook_signature")


def create(world: World, fields: dict[str, Any]) -> Doc:
    """A new endpoint with a secret of its own, unless one is given."""
    doc: Doc = {
        "id": fields.get("id") or world.new_id(),
        "created_at": world.stamp(),
        "modified_at": None,
        "url": fields["url"],
        "name": fields.get("name"),
        "api_version": fields.get("api_version") or API_VERSION,
        "format": fields.get("format") or "raw",
        "secret": fields.get("secret") or random_secret("whsec_"),
        "organization_id": world.organization["id"],
        "events": list(fields["events"]),
        "enabled": True,
        "uses_standard_webhook_signature": bool(fields.get("uses_standard_webhook_signature")),
    }
    return world.store.put("webhook_endpoint", doc)


def update(world: World, doc: Doc, changes: dict[str, Any]) -> Doc:
    """Change the address, the events, or whether it is switched on."""
    return world.touch(
        "webhook_endpoint", doc, **{name: changes[name] for name in FIELDS if name in changes}
    )


def reset_secret(world: World, doc: Doc) -> Doc:
    """Give it a new secret; deliveries from now on are signed with that."""
    return world.touch("webhook_endpoint", doc, secret=random_secret("whsec_"))


def remove(world: World, doc: Doc) -> None:
    """Forget an endpoint and what was still to be delivered to it."""
    for event in world.store.find("webhook_event", {"endpoint_id": doc["id"], "next_at !=": None}):
        world.touch("webhook_event", event, skipped=True, next_at=None)
    world.store.remove("webhook_endpoint", doc["id"])
