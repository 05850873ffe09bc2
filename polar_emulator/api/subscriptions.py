"""/v1/subscriptions."""

from __future__ import annotations

from typing import Any

from flask import Response

from polar_emulator.api.fields import Fields
from polar_emulator.api.gate import api
from polar_emulator.api.wire import (
    answer,
    between,
    body,
    by_customer,
    equals,
    flag,
    found,
    listing,
    metadata,
    of_organization,
    world,
)
from polar_emulator.errors import Problem, SchemaError, problem
from polar_emulator.rules import free_plans, pauses, plan_changes, trials
from polar_emulator.rules import subscriptions as rules
from polar_emulator.shapes import purchases as shapes
from polar_emulator.store import Doc

REASONS = (
    "customer_service", "low_quality", "missing_features", "switched_service", "too_complex",
    "too_expensive", "unused", "other",
)  # fmt: skip
CANCELLATION = ("customer_cancellation_reason", "customer_cancellation_comment")
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
    "current_billing_period_end", "cancel_at_period_end", "revoke", "pause_at_period_end",
    "resumes_at", "resume", "pending_update", *CANCELLATION,
))  # fmt: skip
CREATE_NEEDS = (
    ("SubscriptionCreateCustomer", "customer_id"),
    ("SubscriptionCreateExternalCustomer", "external_customer_id"),
)


@api.get("/v1/subscriptions/")
def subscriptions() -> Response:
    """Subscriptions, the youngest first."""
    where = {
        **of_organization(),
        **equals("product_id", "status", "discount_id", CANCELLATION[0]),
        **between("started_at", "started_after", "started_before"),
        **between("canceled_at", "canceled_at_after", "canceled_at_before"),
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


@api.post("/v1/subscriptions/")
def create_subscription() -> Response:
    """Subscribe a customer to a free product, without a checkout."""
    return answer(_shown(free_plans.subscribe(world(), _wanted(body()))), 201)


@api.get("/v1/subscriptions/<key>")
def subscription(key: str) -> Response:
    """A subscription."""
    return answer(_shown(found("subscription", key)))


@api.patch("/v1/subscriptions/<key>")
def update_subscription(key: str) -> Response:
    """Change the plan, the trial or the period, cancel, pause, take that back, or end it at once."""
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


def _wanted(given: dict[str, Any]) -> dict[str, Any]:
    problems: list[Problem] = []
    for form, owner in CREATE_NEEDS:
        fields = Fields(given, "body", form)
        if fields.need("product_id"):
            fields.uuid("product_id", null=False)
        if fields.need(owner) and owner == "customer_id":
            fields.uuid(owner, null=False)
        elif owner in given:
            fields.text(owner, empty=False, null=False)
        fields.metadata("metadata")
        if not fields.problems:
            return fields.done()
        problems += fields.problems
    raise SchemaError(problems)


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    if set(given) - KNOWN:
        raise SchemaError(_unknown(given, sorted(set(given) - KNOWN)))
    fields = Fields(given)
    fields.uuid("product_id")
    fields.uuid("discount_id")
    fields.choice("proration_behavior", plan_changes.BEHAVIORS)
    for name in ("cancel_at_period_end", "pause_at_period_end"):
        fields.boolean(name)
    for name in ("revoke", "resume"):
        fields.only_true(name)
    for name in ("resumes_at", "current_billing_period_end"):
        fields.moment(name)
    if given.get("trial_end") != "now":
        fields.moment("trial_end")
    fields.choice(CANCELLATION[0], REASONS)
    fields.text(CANCELLATION[1])
    fields.metadata("metadata")
    return {**fields.body, **fields.done()}


def _apply(doc: Doc, changes: dict[str, Any]) -> None:
    reason, comment = (changes.get(name) for name in CANCELLATION)
    if changes.get("revoke"):
        rules.revoke(world(), doc, reason, comment)
    elif changes.get("cancel_at_period_end") is True:
        rules.cancel_at_period_end(world(), doc, reason, comment)
    elif changes.get("cancel_at_period_end") is False:
        rules.uncancel(world(), doc)
    elif changes.get("pause_at_period_end") is True:
        pauses.schedule(world(), doc, changes.get("resumes_at"))
    elif changes.get("pause_at_period_end") is False:
        pauses.unschedule(world(), doc)
    elif changes.get("resume"):
        pauses.resume(world(), doc)
    elif changes.get("current_billing_period_end"):
        trials.set_period_end(world(), doc, changes["current_billing_period_end"])
    else:
        _apply_base(doc, changes)


def _apply_base(doc: Doc, changes: dict[str, Any]) -> None:
    if changes.get("product_id"):
        behavior = changes.get("proration_behavior")
        plan_changes.change(world(), doc, changes["product_id"], behavior)
    elif changes.get("trial_end"):
        trials.set_trial_end(world(), doc, changes["trial_end"])
    elif "discount_id" in changes:
        rules.set_discount(world(), doc, changes["discount_id"])
    elif "pending_update" in changes:
        plan_changes.clear_pending(world(), doc)
    else:
        rules.set_metadata(world(), doc, changes.get("metadata"))


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
