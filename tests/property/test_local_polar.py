"""Anything may happen at the local Polar, anything may be lost on the way; one reconcile makes it right."""

import random
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import customers, reconcile
from saas.billing.models import Customer, Product
from saas.extensions import db
from saas.webhooks import handlers
from tests.billing.buying import fill_catalogue
from tests.database import empty_database
from tests.people import make_user
from tests.property.outcome import disturbed, outcome
from tests.property.profile import examples
from tests.webhooks.door import URL, signed

USER = "user_of_chance"
PRODUCTS = ("Free", "Pro Monthly", "Pro Yearly", "Team Monthly", "Lifetime")
PAYS = "4242 4242 4242 4242"
DAY = 86_400
Delivery = tuple[str, bytes]


class Letterbox(HTTPServer):
    """Takes every delivery and keeps it, so that it can be lost, turned round or doubled later."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        super().__init__(("127.0.0.1", 0), _Slot)
        Thread(target=self.serve_forever, daemon=True).start()


class _Slot(BaseHTTPRequestHandler):
    server: Letterbox

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.deliveries.append((self.headers["webhook-id"], body))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


class Chances:
    """What can happen to one customer at Polar; what Polar refuses does not happen."""

    def __init__(self, polar: LocalPolar, ids: dict[str, str]) -> None:
        self.polar, self.ids = polar, ids
        self.api = httpx.Client(
            base_url=polar.url, headers={"Authorization": f"Bearer {polar.token}"}, trust_env=False
        )

    def listen(self, url: str) -> None:
        types = [name for name, handler in handlers.TABLE.items() if callable(handler)]
        endpoint = {"url": url, "format": "raw", "events": types}
        assert self.api.post("/v1/webhooks/endpoints", json=endpoint).status_code == 201

    def buy(self, number: int) -> None:
        product = self.ids[PRODUCTS[number % len(PRODUCTS)]]
        fields = {"products": [product], "external_customer_id": USER}
        if secret := self.api.post("/v1/checkouts/", json=fields).json().get("client_secret"):
            self.polar.complete_checkout(secret, email=f"{USER}@example.com", card=PAYS)

    def cancel(self, number: int) -> None:
        self._patch(number, cancel_at_period_end=number % 2 == 0)

    def change_plan(self, number: int) -> None:
        product = self.ids[PRODUCTS[number % 4]]
        behavior = ("invoice", "prorate", "next_period")[number % 3]
        self._patch(number, product_id=product, proration_behavior=behavior)

    def undo_change(self, number: int) -> None:
        self._patch(number, pending_update=None)

    def revoke(self, number: int) -> None:
        self._patch(number, revoke=True)

    def wait(self, number: int) -> None:
        self.polar.advance((1, 8, 32)[number % 3] * DAY)

    def rename(self, number: int) -> None:
        self.api.patch(f"/v1/customers/external/{USER}", json={"name": f"Name {number}"})

    def delete_customer(self, number: int) -> None:
        if number % 4 == 0:
            self.api.delete(f"/v1/customers/external/{USER}")

    def _patch(self, number: int, **changes: Any) -> None:
        found = self.api.get("/v1/subscriptions/").json()["items"]
        if found:
            self.api.patch(f"/v1/subscriptions/{found[number % len(found)]['id']}", json=changes)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["buy", "cancel", "change_plan", "undo_change", "revoke", "wait", "rename",
             "delete_customer"]
        ),
        st.integers(0, 11),
    ),
    min_size=2, max_size=8,
)  # fmt: skip


@pytest.fixture(scope="module")
def letterbox() -> Iterator[Letterbox]:
    box = Letterbox()
    yield box
    box.shutdown()
    box.server_close()


@given(steps=STEPS, seed=st.integers(0, 2**16))
@examples(5)
def test_loss_and_disorder_are_healed_by_one_reconcile(
    polar_shared_app: Flask,
    polar_emulator_process: LocalPolar,
    letterbox: Letterbox,
    steps: list[tuple[str, int]],
    seed: int,
) -> None:
    polar_emulator_process.reset()
    with polar_shared_app.app_context():
        client = polar_shared_app.test_client()
        _begin(polar_shared_app)
        deliveries = _live(
            [("buy", 1), *steps], polar_shared_app, polar_emulator_process, letterbox
        )
        customer = _customer()
        _begin(polar_shared_app, customer)
        _deliver(client, deliveries)
        in_order = outcome(_user())
        _begin(polar_shared_app, customer)
        _deliver(client, disturbed(deliveries, random.Random(seed), lose=True))
        reconcile.pull_user(_user())
        assert outcome(_user()) == in_order


def _begin(app: Flask, customer: dict[str, Any] | None = None) -> None:
    """Start anew. Our customer is known before the first purchase: the checkout makes sure of that."""
    empty_database()
    user = make_user(USER)
    fill_catalogue(app)
    if customer is None:
        customers.ensure(user)
    else:
        db.session.add(Customer(**customer | {"user_id": user.id}))
        db.session.commit()


def _customer() -> dict[str, Any]:
    row = db.session.scalars(db.select(Customer)).one()
    return {column.name: getattr(row, column.name) for column in Customer.__table__.columns}


def _live(
    steps: list[tuple[str, int]], app: Flask, polar: LocalPolar, letterbox: Letterbox
) -> list[Delivery]:
    letterbox.deliveries.clear()
    ids = {row.name: row.polar_id for row in db.session.scalars(db.select(Product))}
    chances = Chances(polar, ids)
    chances.listen(f"http://127.0.0.1:{letterbox.server_port}/")
    for name, number in steps:
        getattr(chances, name)(number)
        polar.wait_idle()
    chances.api.close()
    return list(letterbox.deliveries)


def _deliver(client: FlaskClient, deliveries: list[Delivery]) -> None:
    """Signed anew, because the history may have lasted longer than a signature is good for."""
    for webhook_id, body in deliveries:
        headers = signed(body, webhook_id=webhook_id)
        assert client.post(URL, data=body, headers=headers).status_code == 202


def _user() -> User:
    return db.session.scalars(db.select(User)).one()
