"""Too often is answered 429, in words or JSON, with the time to wait; counted in memory or in Redis."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from saas.accounts.limits import CALLS_PER_NETWORK, PER_ACCOUNT, PER_NETWORK
from saas.billing.api import API_LIMIT
from saas.billing.decision_views import CHANGE_LIMIT
from saas.billing.invoice_views import INVOICE_LIMIT
from saas.billing.views import CHECKOUT_LIMIT
from saas.extensions import limiter
from tests.browsing import csrf_token, sign_in
from tests.security.routes import PUBLIC_ID

REDIS = ("127.0.0.1", 6379)
CALLS = [
    ("POST", "/checkout", CHECKOUT_LIMIT),
    ("POST", "/settings/billing/portal", CHECKOUT_LIMIT),
    ("POST", "/api/billing/checkout", API_LIMIT),
    ("GET", f"/api/billing/checkout/{PUBLIC_ID}", API_LIMIT),
    ("GET", f"/settings/billing/invoices/{PUBLIC_ID}", INVOICE_LIMIT),
    ("POST", "/settings/billing/cancellation", CHANGE_LIMIT),
]


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    """Limits count by the clock's minute; a test that runs into the next one must not fail."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield


def number(limit: str) -> int:
    return int(limit.split()[0])


def until_refused(ask: Callable[[], TestResponse], most: int) -> tuple[int, TestResponse]:
    for done in range(most + 1):
        answer = ask()
        if answer.status_code == 429:
            return done, answer
    raise AssertionError(f"not refused after {most + 1}")


@pytest.mark.parametrize(("method", "url", "limit"), CALLS)
def test_calls_that_cost_something_are_counted_by_user(
    app: Flask, method: str, url: str, limit: str
) -> None:
    (ada, _), (bob, _) = sign_in(app), sign_in(app, "bob@example.com")
    addresses = count()

    def ask(client: FlaskClient, token: str) -> TestResponse:
        origin = {"REMOTE_ADDR": f"192.0.2.{next(addresses) % 250}"}
        headers = {"X-CSRFToken": token, "Accept": "application/json"}
        return client.open(url, method=method, headers=headers, environ_base=origin)

    tokens = csrf_token(ada, "/settings/password"), csrf_token(bob, "/settings/password")
    done, answer = until_refused(lambda: ask(ada, tokens[0]), number(limit))
    assert done == number(limit)
    assert answer.json["error"]["code"] == "too_many_requests"
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert ask(bob, tokens[1]).status_code != 429


def test_a_network_of_visitors_has_a_share_too(app: Flask, client: FlaskClient) -> None:
    token = csrf_token(client)

    def ask(address: str = "2001:db8::1") -> TestResponse:
        origin = {"REMOTE_ADDR": address}
        return client.post("/checkout", data={"csrf_token": token}, environ_base=origin)

    done, answer = until_refused(ask, number(CHECKOUT_LIMIT))
    assert done == number(CHECKOUT_LIMIT)
    assert "Too many tries" in answer.text
    assert ask("2001:db8::2").status_code == 429
    assert ask("2001:db8:0:1::1").status_code != 429


def test_one_network_with_many_users(app: Flask) -> None:
    people = [sign_in(app, f"user{n}@example.com")[0] for n in range(6)]
    url = f"/api/billing/checkout/{PUBLIC_ID}"
    limiter.reset()
    statuses = [person.get(url).status_code for person in people for _ in range(number(API_LIMIT))]
    assert statuses.index(429) == number(CALLS_PER_NETWORK)


@pytest.mark.parametrize("url", ["/login", "/signup", "/confirm", "/forgot-password"])
def test_a_body_of_another_kind_is_no_way_around(client: FlaskClient, url: str) -> None:
    token = csrf_token(client)
    headers = {"X-CSRFToken": token}
    body = {"email": "ada@example.com", "password": "a long enough password"}
    answers = [client.post(url, json=body, headers=headers) for _ in range(number(PER_ACCOUNT) + 1)]
    assert all(answer.status_code in {400, 422, 429} for answer in answers)
    mixed = {"email": ["ada@example.com", "eve@example.com"], "csrf_token": token}
    for spelling in ("Ada@Example.com ", "ada@example.com", "ADA@EXAMPLE.COM"):
        client.post(url, data=mixed | {"email": [spelling, "eve@example.com"]})
    data = {"email": "ada@example.com", "password": "x", "csrf_token": token}
    done, _ = until_refused(lambda: client.post(url, data=data), number(PER_ACCOUNT))
    assert done == number(PER_ACCOUNT) - 3


def test_a_forged_address_is_no_way_around(client: FlaskClient) -> None:
    token, numbers = csrf_token(client), count()

    def ask() -> TestResponse:
        data = {"email": f"{next(numbers)}@example.com", "csrf_token": token}
        headers = {"X-Forwarded-For": f"198.51.100.{next(numbers) % 250}"}
        return client.post("/forgot-password", data=data, headers=headers)

    done, _ = until_refused(ask, number(PER_NETWORK))
    assert done == number(PER_NETWORK)


def test_behind_a_proxy_the_address_is_what_the_proxy_says(
    make_app: Callable[..., Flask], clean: None
) -> None:
    client = make_app(trusted_proxies=1, rate_limit_storage="memory://").test_client()
    token = csrf_token(client)

    def ask(said: str) -> int:
        data = {"email": f"{said}-{next(numbers)}@example.com", "csrf_token": token}
        headers = {"X-Forwarded-For": f"10.9.8.7, {said}"}
        return client.post("/forgot-password", data=data, headers=headers).status_code

    numbers = count()
    assert {ask("192.0.2.1") for _ in range(number(PER_NETWORK))} <= {303, 422}
    assert ask("192.0.2.1") == 429
    assert ask("192.0.2.2") != 429


def sign_in_tries(app: Flask) -> list[int]:
    client = app.test_client()
    data = {"email": "ada@example.com", "password": "x", "csrf_token": csrf_token(client)}
    return [client.post("/login", data=data).status_code for _ in range(number(PER_ACCOUNT) + 1)]


@pytest.fixture
def redis_url() -> str:
    url = os.environ.get("TEST_REDIS_URL", "")
    if not url:
        pytest.skip("TEST_REDIS_URL names no Redis")
    return url


def test_two_instances_count_together_in_redis(
    make_app: Callable[..., Flask], clean: None, redis_url: str
) -> None:
    one = make_app(rate_limit_storage=redis_url)
    limiter.reset()
    assert sign_in_tries(one)[-1] == 429
    two = make_app(rate_limit_storage=redis_url)
    assert sign_in_tries(two)[0] == 429
    limiter.reset()


@pytest.mark.parametrize("kind", ["refuses", "hangs"])
def test_without_redis_each_process_counts_alone(
    make_app: Callable[..., Flask], clean: None, kind: str
) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if kind == "hangs":
            server.listen(0)
        app = make_app(rate_limit_storage=f"redis://127.0.0.1:{server.getsockname()[1]}/0")
        assert sign_in_tries(app) == [422] * number(PER_ACCOUNT) + [429]
    make_app(
        rate_limit_storage="memory://"
    )  # The limiter is one object; leave it as others expect it.


def test_redis_going_away_costs_nobody_their_page(
    make_app: Callable[..., Flask], clean: None, redis_url: str
) -> None:
    tunnel = Tunnel()
    app = make_app(rate_limit_storage=f"redis://127.0.0.1:{tunnel.port}/{redis_url[-1]}")
    limiter.reset()
    client = app.test_client()
    data = {"email": "bob@example.com", "password": "x", "csrf_token": csrf_token(client)}
    assert client.post("/login", data=data).status_code == 422
    tunnel.cut()
    assert sign_in_tries(app)[-1] == 429
    make_app(rate_limit_storage=redis_url)
    limiter.reset()


class Tunnel:
    """A way to the real Redis that can be cut."""

    def __init__(self) -> None:
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        self.open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        for each in [self.door, *self.open]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self.door.accept()
            except OSError:
                return
            far = socket.create_connection(REDIS)
            self.open += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(a, b), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            return
