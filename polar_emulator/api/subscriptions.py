"""/v1/subscriptions."""

from __future__ import annotations

from typing import Any

from flask import Response

from polar_emulator.api.fields import Fields
from polar_emulator.api.gate import api
from polar_emulator.api.wire import (
    answer,
    body,
    by_customer,
    equals,
    flag,
    found,
    listing,
    metadata,
    world,
)
from polar_emulator.errors import Problem, SchemaError, problem
from polar_emulator.rules import plan_changes
from polar_emulator.rules import subscriptions as rules
from polar_emulator.shapes import purchases as shapes
from polar_emulator.store import Doc

REASONS = (
    "customer_service", "low_quality", "missing_features", "switched_service", "too_complex",
    "too_expensive", "unused", "other",
)  # fmt: skip
# Recorded: which forms an update can take, each with the field that makes it that form.
FORMS = {
    "SubscriptionUpdateBase": None,
    "SubscriptionUpdateSeats": "seats",
    "SubscriptionUpdateUnits": "units",
    "SubscriptionUpdateBillingPeriod": "current_billing_period_end",
    "SubscriptionCancel": "cancel_at_period_end",
    "SubscriptionRevoke": "revoke",
    "SubscriptionPause": "pause_at_period_end",
    "SubscriptionResume": "resume",
    "SubscriptionUpdateClear": "pending_update",
}
KNOWN = frozenset((
    "metadata", "product_id", "proration_behavior", "discount_id", "trial_end",
    "cancel_at_period_end", "revoke", "customer_cancellation_reason",
    "customer_cancellation_comment", "pending_update",
))  # fmt: skip


@api.get("/v1/subscriptions/")
def subscriptions() -> Response:
    """Subscriptions, the youngest first."""
    where = {
        **equals("product_id", "status", "discount_id"),
        **by_customer(),
        **flag("cancel_at_period_end"),
        **metadata(),
    }
    active = flag("active").get("active")
    if active is True:
        where["status"] = ["active", "trialing"]
    elif active is False:
        where["status"] = ["canceled", "past_due", "unpaid", "incomplete", "paused"]
    return listing("subscription", where, _shown, order="-started_at")


@api.get("/v1/subscriptions/<key>")
def subscription(key: str) -> Response:
    """A subscription."""
    return answer(_shown(found("subscription", key)))


@api.patch("/v1/subscriptions/<key>")
def update_subscription(key: str) -> Response:
    """Change the plan, cancel, take that back, or end it at once."""
    doc = found("subscription", key)
    _apply(doc, _changes(body()))
    return answer(_shown(doc))


@api.delete("/v1/subscriptions/<key>")
def revoke_subscription(key: str) -> Response:
    """End a subscription at once."""
    doc = found("subscription", key)
    rules.revoke(world(), doc)
    return answer(_shown(doc))


def _shown(doc: Doc) -> dict[str, Any]:
    return shapes.subscription(world(), doc)


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    if set(given) - KNOWN:
        raise SchemaError(_unknown(given, sorted(set(given) - KNOWN)))
    fields = Fields(given)
    fields.uuid("product_id")
    fields.choice("proration_behavior", plan_changes.BEHAVIORS)
    fields.boolean("cancel_at_period_end")
    fields.boolean("revoke")
    fields.choice("customer_cancellation_reason", REASONS)
    fields.text("customer_cancellation_comment")
    fields.metadata("metadata")
    return {**fields.body, **fields.done()}


def _apply(doc: Doc, changes: dict[str, Any]) -> None:
    reason = changes.get("customer_cancellation_reason")
    comment = changes.get("customer_cancellation_comment")
    if changes.get("revoke"):
        rules.revoke(world(), doc, reason, comment)
    elif changes.get("cancel_at_period_end") is True:
        rules.cancel_at_period_end(world(), doc, reason, comment)
    elif changes.get("cancel_at_period_end") is False:
        rules.uncancel(world(), doc)
    elif changes.get("product_id"):
        behavior = changes.get("proration_behavior")
        plan_changes.change(world(), doc, changes["product_id"], behavior)
    elif "pending_update" in changes:
        plan_changes.clear_pending(world(), doc)
    else:
        if changes.get("metadata") is not None:
            world().touch("subscription", doc, metadata=changes["metadata"])
        # Recorded: an empty change is 200 and tells about it all the same.
        rules.tell(world(), doc)


def _unknown(given: dict[str, Any], names: list[str]) -> list[Problem]:
    problems = []
    for form, field in FORMS.items():
        if field and field not in given:
            problems.append(problem("missing", ("body", form, field), "Field required", given))
        for name in names:
            where = ("body", form, name)
            message = "Extra inputs are not permitted"
            problems.append(problem("extra_forbidden", where, message, given[name]))
    return problems
