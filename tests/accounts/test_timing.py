"""Nobody learns from a clock whether an address has an account."""

import statistics
import time
from collections.abc import Callable

import pytest
from flask import Flask

from saas.extensions import limiter
from tests.accounts.pages import EMAIL, make_user, token_of

ROUNDS = 15
TOLERANCE = 1.3
ATTEMPTS = 4  # A busy machine spoils one; a way that does less work is shorter in every one.

pytestmark = pytest.mark.usefixtures("real_costs")


@pytest.fixture
def seconds(queued_app: Flask) -> Callable[[str, str], float]:
    client = queued_app.test_client()
    token = token_of(client)

    def measure(url: str, email: str) -> float:
        limiter.reset()
        data = {"email": email, "password": "not the password", "csrf_token": token}
        begin = time.perf_counter()
        client.post(url, data=data)
        return time.perf_counter() - begin

    return measure


@pytest.mark.parametrize("url", ["/login", "/signup", "/confirm", "/forgot-password"])
def test_known_and_unknown_take_as_long(
    queued_app: Flask, seconds: Callable[[str, str], float], url: str
) -> None:
    make_user(queued_app)
    ratios: list[float] = []
    while not ratios or (len(ratios) < ATTEMPTS and not is_even(ratios[-1])):
        known, unknown = [], []
        for number in range(ROUNDS):
            known.append(seconds(url, EMAIL))
            unknown.append(seconds(url, f"nobody{len(ratios)}-{number}@example.com"))
        ratios.append(statistics.median(known) / statistics.median(unknown))
    assert is_even(ratios[-1]), ratios


def is_even(ratio: float) -> bool:
    return 1 / TOLERANCE < ratio < TOLERANCE
