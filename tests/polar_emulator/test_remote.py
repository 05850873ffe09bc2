"""The remote control: faults, clock, request log, quick checkouts."""

import httpx
import pytest
from polar.base import (
    PolarClientError,
    PolarNetworkError,
    PolarRateLimitError,
    PolarServerError,
)
from polar.v2026_10 import Polar
from polar.v2026_10.errors import HTTPValidationError

from polar_emulator.testing import LocalPolar
from tests.polar_emulator import recorded
from tests.polar_emulator.buyers import Buyers


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("down", PolarNetworkError),
        ("401", PolarClientError),
        ("422", HTTPValidationError),
        ("429", PolarRateLimitError),
        ("500", PolarServerError),
        ("html", ValueError),
    ],
)
def test_api_faults(polar: LocalPolar, sdk: Polar, fault: str, error: type[Exception]) -> None:
    assert polar.faults(api=fault)["api"] == fault
    with pytest.raises(error):
        sdk.products.list()
    polar.faults(api=None)
    assert sdk.products.list().items


def test_rate_limit_is_empty_as_recorded(polar: LocalPolar, http: httpx.Client) -> None:
    polar.faults(api="429")
    got, was = http.get("/v1/products/"), recorded.answer("429-rate-limit")
    assert (got.status_code, got.text) == (was["status"], was["answer"])
    assert got.headers["retry-after"] == was["answer_headers"]["retry-after"]
    assert "content-type" not in got.headers


def test_slow(polar: LocalPolar) -> None:
    polar.faults(api="slow", slow_seconds=2)
    client = Polar(polar.token, base_url=polar.url, timeout=0.2)
    with client, pytest.raises(PolarNetworkError):
        client.products.list()


def test_pages_work_while_the_api_is_down(polar: LocalPolar, browser: httpx.Client) -> None:
    polar.faults(api="down")
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize("wanted", [{"api": "sick"}, {"unknown": 1}, {"slow_seconds": "long"}])
def test_unknown_faults(polar: LocalPolar, wanted: dict[str, object]) -> None:
    answer = httpx.post(f"{polar.url}/_emulator/faults", json=wanted)
    assert answer.status_code == 422
    assert answer.json()["error"]


def test_requests_are_noted(polar: LocalPolar, sdk: Polar) -> None:
    sdk.products.list(limit=3)
    (entry,) = polar.requests()
    assert (entry["method"], entry["path"], entry["status"]) == ("GET", "/v1/products/", 200)
    assert "limit=3" in entry["query"]
    polar.forget_requests()
    assert polar.requests() == []


def test_clock(polar: LocalPolar) -> None:
    polar.advance(3600)
    assert polar.control("GET", "/clock")["ahead_seconds"] == pytest.approx(3600, abs=5)
    polar.reset()
    assert polar.control("GET", "/clock")["ahead_seconds"] == 0
    for wrong in (-1, "soon", 10**12):
        answer = httpx.post(f"{polar.url}/_emulator/clock", json={"advance_seconds": wrong})
        assert answer.status_code == 422


def test_a_year_of_renewals(polar: LocalPolar, buyers: Buyers, sdk: Polar) -> None:
    buyers.buy()
    polar.advance(366 * 86400)
    orders = sdk.orders.list(limit=100).items
    assert len(orders) == 13
    assert {order.status for order in orders} == {"paid"}
    starts = [order.created_at for order in orders]
    assert starts == sorted(starts, reverse=True)


def test_reset_keeps_ids(polar: LocalPolar, sdk: Polar, buyers: Buyers) -> None:
    before = sdk.products.list().items
    buyers.buy()
    polar.reset()
    after = sdk.products.list().items
    assert [product.id for product in after] == [product.id for product in before]
    assert sdk.customers.list().items == []
    assert polar.events() == []


def test_quick_checkout_refuses_other_cards(polar: LocalPolar, buyers: Buyers) -> None:
    answer = buyers.pay(buyers.open(), "5555 5555 5555 4444")
    assert answer.status_code == 422
    assert "4242" in answer.json()["error"]
    assert polar.complete_checkout("nothing").status_code == 404


def test_wait_idle_gives_up(polar: LocalPolar, buyers: Buyers) -> None:
    answer = httpx.post(f"{polar.url}/_emulator/wait-idle", json={"timeout": 0.1})
    assert answer.json()["idle"]
    assert httpx.get(f"{polar.url}/_emulator/nothing").status_code == 404


@pytest.mark.parametrize(
    "path", ["clock", "faults", "rate-limit", "wait-idle", "complete-checkout"]
)
@pytest.mark.parametrize("body", [b"[" * 5000, b"\xff", b"{", b"[]", b'{"timeout": "soon"}'])
def test_broken_bodies_end_in_no_500(polar: LocalPolar, path: str, body: bytes) -> None:
    answer = httpx.post(f"{polar.url}/_emulator/{path}", content=body)
    assert answer.status_code < 500


def test_the_clock_says_which_word_it_does_not_know(polar: LocalPolar) -> None:
    answer = httpx.post(f"{polar.url}/_emulator/clock", json={"hours": 2})
    assert answer.status_code == 422
    assert "There is no hours" in answer.text
