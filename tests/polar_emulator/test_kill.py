"""Killed at any moment, the store is whole on the next start."""

import sqlite3
import threading
from pathlib import Path

import httpx
import pytest
from polar.v2026_10 import Polar

from polar_emulator import testing
from polar_emulator.catalogue import stable_id
from polar_emulator.jobs import wait_until
from tests.polar_emulator.receiving import Receiver


@pytest.mark.parametrize("arrivals", [5, 60])
def test_killed_while_the_clock_moves(tmp_path: Path, receiver: Receiver, arrivals: int) -> None:
    store = str(tmp_path / "polar.db")
    options = {"store": store, "webhook_url": receiver.url, "webhook_secret": "s"}
    polar = testing.start(**options)
    for number in range(5):
        buy(polar, f"user_{number}")
    polar.wait_idle()
    receiver.deliveries.clear()
    moving = threading.Thread(target=move, args=(polar.url,))
    moving.start()
    assert wait_until(lambda: len(receiver.deliveries) >= arrivals, 20)
    polar._process.kill()
    moving.join()
    polar.stop()
    with sqlite3.connect(store) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    file.close()
    with testing.start(**options) as again, Polar(again.token, base_url=again.url) as sdk:
        again.control("POST", "/clock", {"days": 1})
        again.wait_idle()
        for subscription in sdk.subscriptions.list(limit=100).items:
            orders = sdk.orders.list(customer_id=[subscription.customer_id], limit=100).items
            periods = {order.items[0].start_timestamp for order in orders}
            assert len(periods) == len(orders)
            assert {order.status for order in orders} == {"paid"}


def buy(polar: testing.LocalPolar, user: str) -> None:
    with Polar(polar.token, base_url=polar.url) as sdk:
        checkout = sdk.checkouts.create(
            products=[stable_id("product", "Pro Monthly")], external_customer_id=user
        )
    polar.complete_checkout(checkout.client_secret, email=f"{user}@example.com")


def move(url: str) -> None:
    """Three years of renewals, which the kill interrupts."""
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{url}/_emulator/clock", json={"months": 36}, timeout=60)
