"""/v1/organizations."""

from __future__ import annotations

from typing import Any

from flask import Response

from polar_emulator.api.fields import Fields
from polar_emulator.api.gate import api
from polar_emulator.api.wire import answer, body, equals, found, listing, world
from polar_emulator.errors import SchemaError, problem
from polar_emulator.rules import organizations as rules
from polar_emulator.shapes import catalogue as shapes


@api.get("/v1/organizations/")
def organizations() -> Response:
    """The one organisation that there is."""
    return listing("organization", equals("slug"), shapes.organization)


@api.get("/v1/organizations/<key>")
def organization(key: str) -> Response:
    """An organisation."""
    return answer(shapes.organization(found("organization", key)))


@api.patch("/v1/organizations/<key>")
def update_organization(key: str) -> Response:
    """Change names and how subscriptions are handled, for example the grace period."""
    doc = found("organization", key)
    fields = Fields(body())
    for name in ("name", "email", "website"):
        fields.text(name)
    fields.mapping("subscription_settings")
    given = fields.done()
    if given.get("subscription_settings") is not None:
        given["subscription_settings"] = _subscription_settings(given["subscription_settings"])
    return answer(shapes.organization(rules.update(world(), doc, given)))


def _subscription_settings(given: dict[str, Any]) -> dict[str, Any]:
    fields = Fields(given, "body", "subscription_settings")
    fields.choice("proration_behavior", rules.PRORATION_BEHAVIORS)
    for name in ("allow_multiple_subscriptions", "prevent_trial_abuse", "allow_customer_updates"):
        fields.boolean(name)
    days = "benefit_revocation_grace_period"
    fields.integer(days)
    wanted = fields.done()
    if wanted.get(days) is not None and wanted[days] not in rules.GRACE_DAYS:
        message = f"Input should be {', '.join(map(str, rules.GRACE_DAYS))}"
        where = ("body", "subscription_settings", days)
        raise SchemaError([problem("literal_error", where, message, wanted[days])])
    return wanted
