"""A local Polar inside the test process: rules and API without a network, and a clock to push."""

import functools
import json
from datetime import timedelta
from typing import Any, cast

from polar_emulator import catalogue, jobs, timetravel
from polar_emulator.app import Application, create_app
from polar_emulator.catalogue import stable_id
from polar_emulator.events import body_of
from polar_emulator.handlers import HANDLERS
from polar_emulator.settings import Settings
from polar_emulator.store import Doc
from polar_emulator.world import World
from tests.polar_emulator import typed

DAY = 86400


class Inside:
    """One world with its API; nothing happens between the steps of a test."""

    def __init__(self) -> None:
        self.world, app = _shared()
        catalogue.reset(self.world)
        self.client = app.test_client()
        self.seen = 0

    def call(self, method: str, path: str, body: Any = None, status: int = 200, **how: Any) -> Any:
        """An API call that must have this status; returns the JSON."""
        headers = {"Authorization": f"Bearer {how.get('token', 'polar_oat_local')}"}
        answer = self.client.open(path, method=method, json=body, headers=headers)
        typed.check_inside(method, path, answer)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_json(silent=True)

    def buy(self, product: str = "Pro Monthly", user: str = "user_1", **how: Any) -> Doc:
        """Open a checkout, pay for it, and settle. `product` may be an id, `how` adds to the checkout."""
        token = how.pop("token", "ctoken_pays")
        country = how.pop("country", "US")
        wanted = {
            "products": [product if len(product) == 36 else stable_id("product", product)],
            "external_customer_id": user,
            "customer_email": f"{user}@example.com",
            **how,
        }
        checkout = self.call("POST", "/v1/checkouts/", wanted, 201)
        paying = {
            "customer_name": "Jane Doe",
            "customer_billing_address": {"country": country},
            "confirmation_token_id": token,
        }
        self.call("POST", f"/v1/checkouts/client/{checkout['client_secret']}/confirm", paying)
        self.settle()
        return cast(Doc, self.call("GET", f"/v1/checkouts/{checkout['id']}"))

    def settle(self) -> None:
        """Run what is due."""
        jobs.settle(self.world, HANDLERS)

    def advance(self, days: float) -> None:
        """Push the clock."""
        timetravel.advance(self.world, self.world.now() + timedelta(days=days))

    def events(self) -> list[str]:
        """The types of the events since the last look, benefits of one product made one."""
        kept: list[str] = []
        for event in self._new():
            name = event["type"]
            if not (kept and kept[-1] == name and name.startswith("benefit_grant.")):
                kept.append(name)
        return kept

    def payloads(self) -> list[Doc]:
        """The whole events since the last look."""
        fields = {"api_version": "2026-10"}
        return [
            json.loads(body_of(self.world, {**fields, "event_id": e["id"]})) for e in self._new()
        ]

    def customer(self, user: str = "user_1") -> Doc:
        """The stored customer."""
        found = self.world.store.first("customer", {"external_id": user})
        assert found
        return found

    def subscription(self, user: str = "user_1") -> Doc:
        """The newest subscription of somebody, as the API shows it."""
        listed = self.call("GET", f"/v1/subscriptions/?external_customer_id={user}")
        return cast(Doc, listed["items"][0])

    def orders(self, user: str = "user_1") -> list[Doc]:
        """The orders of somebody, newest first."""
        listed = self.call("GET", f"/v1/orders/?external_customer_id={user}&limit=100")
        return cast(list[Doc], listed["items"])

    def change(self, body: Doc, status: int = 200) -> Any:
        """Update the subscription of user_1, and settle."""
        answer = self.call("PATCH", f"/v1/subscriptions/{self.subscription()['id']}", body, status)
        self.settle()
        return answer

    def _new(self) -> list[Doc]:
        self.settle()
        found = self.world.store.find("event")
        fresh, self.seen = found[self.seen :], len(found)
        for event in fresh:
            fields = {"api_version": "2026-10", "event_id": event["id"]}
            typed.check_event(json.loads(body_of(self.world, fields)))
        return fresh


@functools.cache
def _shared() -> tuple[World, Application]:
    """One world and one application for the whole session: a reset is quicker than a new one."""
    world = World(Settings(store=":memory:", fast=True, public_url="http://localhost"))
    return world, create_app(world)
