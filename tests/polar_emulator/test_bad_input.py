"""Bad input never gives a 500: every door, with what nobody should send."""

import json
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polar_emulator.testing import LocalPolar
from tests.polar_emulator.inside import Inside
from tests.property.profile import examples

# These wait, or do not end.
WAITING = ("/_emulator/wait-idle", "/_emulator/events/stream", "/control/stream")
KINDS = ("customer", "subscription", "order", "checkout", "product", "benefit", "event")
EXTREMES = ["", "\x00", "é" * 300, "\ud800", "\ud83d\ude00", "9999-12-31T23:59:59-14:00", "now", "%",
            '"', "[]", "http://[::1", "a@b.c", "month", "usd", 0, -1, 2**31, 2**63, 10**30, 1.5, 1e308,
            True, None, "AN ID"]  # fmt: skip
WORDS = """
    amount amount_type api benefits cancel_at_period_end card client_secret confirmation_token_id
    country currency current_billing_period_end customer_billing_address
    customer_cancellation_reason customer_email customer_id customer_metadata days
    delay_webhooks_seconds discount_code discount_id duration email events external_customer_id
    external_id filter format is_archived limit max_redemptions metadata months name page
    pause_at_period_end pending_update per_minute price_amount price_currency prices product
    product_id products proration_behavior reason recurring_interval recurring_interval_count
    resumes_at return_url revoke seats slow_seconds sorting starts_at step subscription_id
    success_url timestamp trial_end trial_interval type until url visibility who \ud800
"""
NAMES = WORDS.split()

values = st.recursive(
    st.sampled_from(EXTREMES) | st.text(max_size=20) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def inside() -> Inside:
    return Inside()


@given(
    choice=st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)),
    body=st.dictionaries(st.sampled_from(NAMES), values, max_size=6),
    how=st.sampled_from(["json", "json", "json", "form", "query", "bytes"]),
    raw=st.binary(max_size=30),
)
@examples(200)
def test_no_input_breaks_a_door(
    inside: Inside, choice: tuple[int, int], body: dict[str, Any], how: str, raw: bytes
) -> None:
    known = what_is_there(inside)
    some_id = known[choice[0] % len(known)]
    doors = list(all_doors(inside))
    method, rule = doors[choice[1] % len(doors)]
    text = json.dumps(body).replace("AN ID", some_id)
    flat = {whole(name): whole(str(value)) for name, value in json.loads(text).items()}
    sent = {
        "json": {"data": text, "content_type": "application/json"},
        "form": {"data": flat},
        "query": {"query_string": flat},
        "bytes": {"data": raw},
    }[how]
    headers = {"Authorization": "Bearer polar_oat_local"}
    path = re.sub(r"<[^>]+>", some_id, rule)
    answer = inside.client.open(path, method=method, headers=headers, **sent)
    is_wanted = "500" in str(body.get("api")) and rule.endswith("/faults")
    assert answer.status_code < 500 or is_wanted, (method, path, sent, answer.text)
    inside.client.delete("/_emulator/faults")


def whole(text: str) -> str:
    """A text without halves of characters, which forms and addresses cannot hold."""
    return text.encode(errors="replace").decode()


def what_is_there(inside: Inside) -> list[str]:
    """An id of each kind, so that not all doors are closed; somebody buys when there is nothing."""
    store = inside.world.store
    if store.count("customer", {"deleted_at": None}) == 0 or store.count("product") < 5:
        inside.client.post("/_emulator/reset")
        inside.buy()
    checkout = store.find("checkout", order="-seq", limit=1)[0]
    found = [store.find(kind, order="-seq", limit=1) for kind in KINDS]
    return [docs[0]["id"] for docs in found if docs] + [checkout["secret"], "user_1", "none"]


def all_doors(inside: Inside) -> Iterator[tuple[str, str]]:
    for rule in inside.client.application.url_map.iter_rules():
        if not rule.rule.startswith(WAITING):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, rule.rule


RAW = {
    "an origin that is no address": (
        "POST /_emulator/reset HTTP/1.1\r\nHost: {host}\r\nOrigin: http://[::\r\nContent-Length: 0\r\n\r\n",
        403,
    ),
    "a host that is no address": ("GET / HTTP/1.1\r\nHost: [::\r\n\r\n", 400),
    "a body that is too large": (
        "POST /v1/products/ HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer polar_oat_x\r\n"
        "Content-Length: 99999999999\r\n\r\n{{}}",
        413,
    ),
    "a length that is no number": (
        "POST /v1/products/ HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer polar_oat_x\r\n"
        "Content-Length: many\r\n\r\n{{}}",
        422,
    ),
    "a cookie that is no token": (
        "GET /polar-demo/portal HTTP/1.1\r\nHost: {host}\r\nCookie: polar_portal=\x00\r\n\r\n",
        404,
    ),
}


@pytest.mark.parametrize(("request_text", "status"), RAW.values(), ids=list(RAW))
def test_what_no_client_sends(polar: LocalPolar, request_text: str, status: int) -> None:
    host = urlsplit(polar.url).netloc
    with connection(polar) as line:
        line.sendall(request_text.format(host=host).encode())
        assert line.recv(1000).startswith(f"HTTP/1.1 {status} ".encode())


def test_who_is_slow_to_send_holds_nobody_up(polar: LocalPolar) -> None:
    host = urlsplit(polar.url).netloc
    with connection(polar) as line:
        line.sendall(
            f"POST /v1/customers/ HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer polar_oat_x\r\n"
            "Content-Length: 100\r\n\r\n{".encode()
        )
        headers = {"Authorization": f"Bearer {polar.token}"}
        for _ in range(3):
            answer = httpx.get(f"{polar.url}/v1/products/", headers=headers, timeout=2)
            assert answer.status_code == 200


def connection(polar: LocalPolar) -> socket.socket:
    parts = urlsplit(polar.url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5)
