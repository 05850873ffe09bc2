"""Too many tries, by network and by account."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from saas.accounts.limits import PER_ACCOUNT, PER_NETWORK
from tests.accounts.pages import PASSWORD, make_user, token_of

DOORS = ["/login", "/signup", "/confirm", "/forgot-password"]
PER_MINUTE_ACCOUNT = int(PER_ACCOUNT.split()[0])
PER_MINUTE_NETWORK = int(PER_NETWORK.split()[0])


def knock(client: FlaskClient, url: str, email: str, address: str = "192.0.2.1") -> int:
    environ = {"REMOTE_ADDR": address}
    data = {"email": email, "password": PASSWORD, "csrf_token": token_of(client)}
    return client.post(url, data=data, environ_base=environ).status_code


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    """Limits count by the clock's minute; a test that runs into the next one must not fail."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield


@pytest.mark.parametrize("url", DOORS)
@pytest.mark.parametrize("known", [True, False])
def test_one_account_from_many_addresses(
    app: Flask, client: FlaskClient, url: str, known: bool
) -> None:
    if known:
        make_user(app, confirmed=False)
    for number in range(PER_MINUTE_ACCOUNT):
        assert knock(client, url, "Ada@example.com", f"192.0.2.{number}") in {303, 422}
    assert knock(client, url, "ada@EXAMPLE.com", "198.51.100.1") == 429
    assert knock(client, url, "bob@example.com", "198.51.100.1") in {303, 422}


@pytest.mark.parametrize("url", DOORS)
def test_many_accounts_from_one_address(client: FlaskClient, url: str) -> None:
    for number in range(PER_MINUTE_NETWORK):
        assert knock(client, url, f"user{number}@example.com") in {303, 422}
    assert knock(client, url, "one-more@example.com") == 429
    assert knock(client, url, "one-more@example.com", "192.0.2.2") in {303, 422}


@pytest.mark.parametrize(
    "spelling", ["::ffff:192.0.2.{}", "192.0.2.{}:4711", "[::ffff:192.0.2.{}]:4711"]
)
def test_an_ipv4_address_in_another_spelling_is_the_same(
    client: FlaskClient, spelling: str
) -> None:
    for number in range(PER_MINUTE_NETWORK):
        address = spelling.format(1) if number % 2 else "192.0.2.1"
        assert knock(client, "/forgot-password", f"user{number}@example.com", address) == 303
    more = "more@example.com"
    assert knock(client, "/forgot-password", more, spelling.format(1)) == 429
    assert knock(client, "/forgot-password", more, spelling.format(2)) == 303


def test_an_ipv6_customer_counts_as_one(client: FlaskClient) -> None:
    for number in range(PER_MINUTE_NETWORK):
        email = f"user{number}@example.com"
        assert knock(client, "/forgot-password", email, f"2001:db8::{number:x}") == 303
    assert knock(client, "/forgot-password", "more@example.com", "2001:db8::ffff") == 429
    assert knock(client, "/forgot-password", "more@example.com", "2001:db8:0:1::1") == 303


def test_an_unreadable_network_counts_too(client: FlaskClient) -> None:
    assert knock(client, "/forgot-password", "ada@example.com", "not an address") == 303


def test_the_answer_says_when_to_come_back(client: FlaskClient) -> None:
    for _ in range(PER_MINUTE_ACCOUNT):
        knock(client, "/login", "ada@example.com")
    data = {"email": "ada@example.com", "password": "x", "csrf_token": token_of(client)}
    answer = client.post("/login", data=data)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert "Too many tries" in answer.text


def test_looking_at_a_page_is_not_a_try(client: FlaskClient) -> None:
    for _ in range(PER_MINUTE_NETWORK + 5):
        assert client.get("/login").status_code == 200
