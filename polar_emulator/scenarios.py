"""One-click scenarios: what is hard to bring about with a real Polar, one function each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from polar_emulator import jobs
from polar_emulator.rules import (
    checkouts,
    customers,
    dunning,
    pauses,
    refunds,
    subscriptions,
    trials,
)
from polar_emulator.shapes import purchases as shapes
from polar_emulator.store import Doc
from polar_emulator.world import World


class ScenarioError(ValueError):
    """A scenario that cannot be played; the text is one sentence."""


@dataclass(frozen=True)
class Scenario:
    """Something that can happen to a customer, a subscription, an order or a checkout.

    `fits` says whether it can happen to a given one as it is now.
    """

    name: str
    title: str
    kind: str
    fits: Callable[[World, Doc], bool]
    act: Callable[[World, Doc], None]


def play(world: World, name: str, who: str) -> Doc:
    """Let a scenario happen to somebody: an id, an e-mail address or an external id.

    With an empty `who` the youngest that it fits is taken. Returns what it happened to;
    ScenarioError when there is no such scenario or nothing that it fits, ApiError as the API.
    """
    scenario = by_name(name)
    with world.store.transaction():
        found = next(
            (doc for doc in _candidates(world, scenario.kind, who) if scenario.fits(world, doc)),
            None,
        )
        if found is None:
            whose = f" of {who}" if who else ""
            raise ScenarioError(f"There is no {scenario.kind}{whose} that {name} fits.")
        scenario.act(world, found)
        return world.store.need(scenario.kind, found["id"])


def by_name(name: str) -> Scenario:
    """The scenario of a name. ScenarioError lists the names when there is none."""
    for scenario in SCENARIOS:
        if scenario.name == name:
            return scenario
    known = ", ".join(scenario.name for scenario in SCENARIOS)
    raise ScenarioError(f"There is no scenario {name}. Choose one of {known}.")


def fitting(world: World, kind: str, doc: Doc) -> list[Scenario]:
    """What can happen to something as it is now."""
    return [
        scenario for scenario in SCENARIOS if scenario.kind == kind and scenario.fits(world, doc)
    ]


def fail_next_renewal(world: World, customer: Doc) -> None:
    """The card on file fails from now on, so that the next renewal goes past due."""
    dunning.fail_next_renewal(world, customer)


def recover(world: World, customer: Doc) -> None:
    """The customer gets a card that pays; what is unpaid is charged at once."""
    dunning.recover(world, customer)


def exhaust_retries(world: World, customer: Doc) -> None:
    """All retries have failed: past due subscriptions end now."""
    dunning.exhaust(world, customer)


def delete_customer(world: World, customer: Doc) -> None:
    """Delete the customer; subscriptions end at once."""
    customers.delete(world, customer)


def cancel(world: World, subscription: Doc) -> None:
    """Cancel at the end of the period."""
    subscriptions.cancel_at_period_end(world, subscription, None, None)


def uncancel(world: World, subscription: Doc) -> None:
    """Take the cancellation back."""
    subscriptions.uncancel(world, subscription)


def revoke(world: World, subscription: Doc) -> None:
    """End the subscription now."""
    subscriptions.revoke(world, subscription)


def end_trial(world: World, subscription: Doc) -> None:
    """End the trial now; the first payment follows."""
    trials.set_trial_end(world, subscription, "now")


def pause(world: World, subscription: Doc) -> None:
    """Pause when the period ends."""
    pauses.schedule(world, subscription, None)


def unpause(world: World, subscription: Doc) -> None:
    """Take back a pause that has not begun."""
    pauses.unschedule(world, subscription)


def resume(world: World, subscription: Doc) -> None:
    """End the pause now: a new period begins and is charged."""
    pauses.resume(world, subscription)


def refund(world: World, order: Doc) -> None:
    """Give back all that is left of an order."""
    _refund(world, order, shapes.refundable(order))


def refund_half(world: World, order: Doc) -> None:
    """Give back half of what is left of an order."""
    _refund(world, order, -(-shapes.refundable(order) // 2))


def expire_checkout(world: World, checkout: Doc) -> None:
    """Let an open checkout expire now instead of after 24 hours."""
    jobs.cancel(world, "checkout.expire", checkout_id=checkout["id"])
    checkouts.expire(world, {"checkout_id": checkout["id"]})


def _refund(world: World, order: Doc, amount: int) -> None:
    wanted = {"order_id": order["id"], "amount": amount, "reason": "customer_request"}
    refunds.create(world, wanted)


def _candidates(world: World, kind: str, who: str) -> Iterator[Doc]:
    """Everything of a kind that `who` can mean, the youngest first."""
    where = {} if kind != "customer" else {"deleted_at": None}
    if not who:
        yield from world.store.find(kind, where, order="-seq", limit=100)
        return
    named = world.store.get(kind, who)
    if named is not None:
        yield named
    customer = (
        world.store.get("customer", who)
        or customers.by_email(world, who)
        or customers.by_external_id(world, who)
    )
    if kind == "customer":
        yield from [customer] if customer else []
    elif customer:
        yield from world.store.find(kind, {"customer_id": customer["id"]}, order="-seq")
    if kind == "checkout":
        yield from world.store.find(kind, {"customer_email": who}, order="-seq")


def _exists(world: World, customer: Doc) -> bool:
    return customer["deleted_at"] is None


def _card_pays(world: World, customer: Doc) -> bool:
    return _exists(world, customer) and customer["card"] == "paying"


def _card_fails(world: World, customer: Doc) -> bool:
    return _exists(world, customer) and customer["card"] not in (None, "paying")


def _is_past_due(world: World, customer: Doc) -> bool:
    where = {"customer_id": customer["id"], "status": "past_due"}
    return _exists(world, customer) and world.store.first("subscription", where) is not None


def _runs(world: World, subscription: Doc) -> bool:
    return not subscription["ended_at"] and not subscription["cancel_at_period_end"]


def _is_canceled(world: World, subscription: Doc) -> bool:
    return subscription["cancel_at_period_end"] and not subscription["ended_at"]


def _has_not_ended(world: World, subscription: Doc) -> bool:
    return not subscription["ended_at"]


def _is_trialing(world: World, subscription: Doc) -> bool:
    return _runs(world, subscription) and subscription["status"] == "trialing"


def _can_pause(world: World, subscription: Doc) -> bool:
    is_active = subscription["status"] == "active"
    return is_active and _runs(world, subscription) and not subscription["pause_at_period_end"]


def _will_pause(world: World, subscription: Doc) -> bool:
    return bool(subscription["pause_at_period_end"]) and not subscription["ended_at"]


def _is_paused(world: World, subscription: Doc) -> bool:
    return bool(subscription["status"] == "paused")


def _is_refundable(world: World, order: Doc) -> bool:
    is_paid = order["status"] in refunds.PAID_STATUSES
    return is_paid and shapes.refundable(order) > 0


def _is_open(world: World, checkout: Doc) -> bool:
    return bool(checkout["status"] == "open")


SCENARIOS = (
    Scenario(
        "fail-next-renewal", "Fail the next renewal", "customer", _card_pays, fail_next_renewal
    ),
    Scenario("recover", "Recover with a good card", "customer", _card_fails, recover),
    Scenario("exhaust-retries", "Exhaust the retries", "customer", _is_past_due, exhaust_retries),
    Scenario("delete-customer", "Delete the customer", "customer", _exists, delete_customer),
    Scenario("cancel", "Cancel", "subscription", _runs, cancel),
    Scenario("uncancel", "Take the cancellation back", "subscription", _is_canceled, uncancel),
    Scenario("revoke", "Revoke now", "subscription", _has_not_ended, revoke),
    Scenario("end-trial", "End the trial", "subscription", _is_trialing, end_trial),
    Scenario("pause", "Pause at the period's end", "subscription", _can_pause, pause),
    Scenario("unpause", "Take the pause back", "subscription", _will_pause, unpause),
    Scenario("resume", "Resume now", "subscription", _is_paused, resume),
    Scenario("refund", "Refund in full", "order", _is_refundable, refund),
    Scenario("refund-half", "Refund half", "order", _is_refundable, refund_half),
    Scenario("expire-checkout", "Let it expire", "checkout", _is_open, expire_checkout),
)
