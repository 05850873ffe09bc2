"""The check that every answer and event loads in the SDK's types, held to what it must find."""

import json

import pytest
from polar import PolarDeserializationError

from tests.polar_emulator import recorded, typed
from tests.polar_emulator.inside import Inside


def test_the_routes_of_the_sdk_are_known() -> None:
    found = typed.methods()
    assert len(found) > 100
    assert "PATCH /v1/subscriptions/[^/]+" in found


def test_a_missing_key_or_a_new_word_is_found() -> None:
    order = Inside()
    order.buy()
    shown = order.orders()[0]
    path = f"/v1/orders/{shown['id']}"
    typed.check_answer("GET", path, 200, json.dumps(shown))
    without = {name: value for name, value in shown.items() if name != "due_amount"}
    for broken in (without, {**shown, "status": "new_word"}, {**shown, "customer": None}):
        with pytest.raises(PolarDeserializationError):
            typed.check_answer("GET", path, 200, json.dumps(broken))
    with pytest.raises(PolarDeserializationError):
        typed.check_answer("GET", path, 404, '{"error": "Other", "detail": "x"}')


def test_an_event_without_a_version_is_found() -> None:
    with pytest.raises(PolarDeserializationError):
        typed.check_event(recorded.event("order.paid"))
