"""Histories that nobody recorded: played by the local Polar, named, each with the plan that it leaves.

The numbers are those of the recorded scenarios that they continue.
"""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from polar_emulator.testing import LocalPolar
from saas.billing import entitlements
from saas.billing.models import Product
from saas.extensions import db
from tests.property.outcome import disturbed, outcome
from tests.property.test_local_polar import (
    DAY,
    PAYS,
    USER,
    Chances,
    Letterbox,
    _begin,
    _customer,
    _deliver,
    _user,
)

Step = tuple[Any, ...]
BUY_PRO, BUY_TEAM, BUY_FREE = ("buy", "Pro Monthly"), ("buy", "Team Monthly"), ("buy", "Free")
LIFETIME, MONTH, REVOKE = ("buy", "Lifetime"), ("wait", 32), ("change", {"revoke": True})
FAIL, RECOVER = ("play", "fail-next-renewal"), ("play", "recover")
PAUSE, RESUME, DELETE = ("play", "pause"), ("play", "resume"), ("play", "delete-customer")
LATER = ("switch", "Team Monthly", "next_period")
NOW = ("switch", "Team Monthly", "invoice")
CANCEL = ("change", {"cancel_at_period_end": True})
PRO, TEAM, NONE = ["projects", "reports"], ["api_access", "projects", "reports"], list[str]()

HISTORIES: dict[str, tuple[list[Step], tuple[str, str, list[str]]]] = {
    "07 a renewal fails and is mended": ([BUY_PRO, FAIL, MONTH, RECOVER], ("pro", "active", PRO)),
    "08 a renewal is given up": (
        [BUY_PRO, FAIL, MONTH, ("play", "exhaust-retries")], ("free", "canceled", NONE),
    ),
    "11 a scheduled change happens": ([BUY_PRO, LATER, MONTH], ("team", "active", TEAM)),
    "11 and is gone with a cancellation": (
        [BUY_PRO, LATER, ("change", {"pending_update": None}), CANCEL, MONTH],
        ("free", "canceled", NONE),
    ),
    "13 free to paid through a checkout": (
        [BUY_FREE, ("upgrade", "Pro Monthly")], ("pro", "active", PRO),
    ),
    "15 a trial ends with a payment": ([BUY_TEAM, ("wait", 15)], ("team", "active", TEAM)),
    "15 a trial is cancelled": ([BUY_TEAM, CANCEL, ("wait", 15)], ("free", "canceled", NONE)),
    "15 a trial ends with a card that fails": (
        [BUY_TEAM, FAIL, ("wait", 15)], ("free", "past_due", NONE),
    ),
    "19 a one-time purchase is given back": ([LIFETIME, ("refund", "Lifetime")], ("free", "free", NONE)),
    "21 one of two purchases is given back": (
        [LIFETIME, BUY_PRO, ("refund", "Lifetime")], ("pro", "active", PRO),
    ),
    "25 a customer with a subscription is deleted": ([BUY_PRO, DELETE], ("free", "canceled", NONE)),
    "32 a pause begins": ([BUY_PRO, PAUSE, MONTH], ("free", "paused", NONE)),
    "32 a pause ends": ([BUY_PRO, PAUSE, MONTH, RESUME], ("pro", "active", PRO)),
    "a second subscription after the first": ([BUY_PRO, REVOKE, BUY_TEAM], ("team", "trialing", TEAM)),
    "the same plan bought again": ([BUY_PRO, CANCEL, MONTH, BUY_PRO], ("pro", "active", PRO)),
    "a purchase for ever outlives a subscription": (
        [LIFETIME, BUY_TEAM, REVOKE], ("lifetime", "active", PRO),
    ),
    "up, down and up again": (
        [BUY_PRO, NOW, ("switch", "Pro Monthly", "prorate"), MONTH, NOW], ("team", "active", TEAM),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def letterbox() -> Iterator[Letterbox]:
    box = Letterbox()
    yield box
    box.shutdown()
    box.server_close()


@pytest.mark.parametrize("name", HISTORIES)
def test_history(polar_app: Flask, polar: LocalPolar, letterbox: Letterbox, name: str) -> None:
    steps, expected = HISTORIES[name]
    with polar_app.app_context():
        client = polar_app.test_client()
        _begin(polar_app)
        deliveries = _play(steps, polar, letterbox)
        customer = _customer()
        chance = random.Random(name)
        left = []
        for order in (deliveries, disturbed(deliveries[::-1], chance)):
            _begin(polar_app, customer)
            _deliver(client, order)
            assert _entitled() == expected
            left.append(outcome(_user()))
        assert left[0] == left[1]


def _entitled() -> tuple[str, str, list[str]]:
    found = entitlements.for_user(_user())
    return found.plan.key, found.status, sorted(found.features)


def _play(steps: list[Step], polar: LocalPolar, box: Letterbox) -> list[tuple[str, bytes]]:
    box.deliveries.clear()
    ids = {row.name: row.polar_id for row in db.session.scalars(db.select(Product))}
    actor = _Actor(polar, ids)
    actor.listen(f"http://127.0.0.1:{box.server_port}/")
    for name, *what in steps:
        getattr(actor, f"do_{name}")(*what)
        polar.wait_idle()
    actor.api.close()
    return list(box.deliveries)


class _Actor(Chances):
    """The same things as in the histories of chance, called by name; what Polar refuses is a mistake here."""

    def do_buy(self, product: str, **more: Any) -> None:
        fields = {"products": [self.ids[product]], "external_customer_id": USER} | more
        made = self.api.post("/v1/checkouts/", json=fields).raise_for_status().json()
        paid = self.polar.complete_checkout(
            made["client_secret"], email=f"{USER}@example.com", card=PAYS
        )
        assert paid.status_code == 200, paid.text

    def do_upgrade(self, product: str) -> None:
        fields = {"products": [self.ids[product]], "subscription_id": self._running()}
        made = self.api.post("/v1/checkouts/", json=fields).raise_for_status().json()
        paid = self.polar.complete_checkout(made["client_secret"], card=PAYS)
        assert paid.status_code == 200, paid.text

    def do_change(self, changes: dict[str, Any]) -> None:
        path = f"/v1/subscriptions/{self._running()}"
        self.api.patch(path, json=changes).raise_for_status()

    def do_switch(self, product: str, behavior: str) -> None:
        self.do_change({"product_id": self.ids[product], "proration_behavior": behavior})

    def do_wait(self, days: int) -> None:
        self.polar.advance(days * DAY)

    def do_play(self, scenario: str) -> None:
        self.polar.scenario(scenario, USER)

    def do_refund(self, product: str) -> None:
        orders = self.api.get("/v1/orders/").json()["items"]
        [which] = [each for each in orders if each["product_id"] == self.ids[product]]
        body = {
            "order_id": which["id"], "amount": which["net_amount"], "reason": "customer_request",
            "revoke_benefits": True,
        }  # fmt: skip
        self.api.post("/v1/refunds/", json=body).raise_for_status()

    def _running(self) -> str:
        found = self.api.get("/v1/subscriptions/").json()["items"]
        return next(str(each["id"]) for each in found if each["ended_at"] is None)
