"""Usage events, meters, and what customers have used."""

from typing import Any

import pytest
from polar.v2026_10 import Polar

from polar_emulator.store import Doc
from polar_emulator.testing import LocalPolar
from tests.polar_emulator.inside import Inside

NOBODY = "00000000-0000-4000-8000-000000000000"
CALLS: Doc = {
    "conjunction": "and",
    "clauses": [{"property": "name", "operator": "eq", "value": "call"}],
}


@pytest.fixture
def here() -> Inside:
    here = Inside()
    body = {"email": "a@example.com", "external_id": "user_1"}
    here.call("POST", "/v1/customers/", body, 201)
    here.events()
    return here


def ingest(here: Inside, *events: Doc, status: int = 200) -> Any:
    full = [{"name": "call", "external_customer_id": "user_1", **event} for event in events]
    return here.call("POST", "/v1/events/ingest", {"events": full}, status)


def meter(here: Inside, aggregation: Doc | None = None, filtered: Doc | None = None) -> Doc:
    body = {
        "name": "Calls",
        "filter": filtered or CALLS,
        "aggregation": aggregation or {"func": "count"},
    }
    made: Doc = here.call("POST", "/v1/meters/", body, 201)
    return made


def used(here: Inside, key: str) -> float | None:
    here.settle()
    items = here.call("GET", f"/v1/customer-meters/?external_customer_id=user_1&meter_id={key}")[
        "items"
    ]
    return items[0]["consumed_units"] if items else None


def test_each_event_counts_once(here: Inside) -> None:
    first = {"external_id": "a", "metadata": {"tokens": 3}}
    assert ingest(here, first, {"external_id": "b"}) == {"inserted": 2, "duplicates": 0}
    assert ingest(here, first, {"external_id": "c"}) == {"inserted": 1, "duplicates": 1}
    assert ingest(here, {"external_id": "d"}, {"external_id": "d"}) == {
        "inserted": 1,
        "duplicates": 1,
    }
    assert ingest(here, {}, {}) == {"inserted": 2, "duplicates": 0}
    assert used(here, meter(here)["id"]) == 6


@pytest.mark.parametrize(
    ("aggregation", "result"),
    [
        ({"func": "count"}, 4),
        ({"func": "sum", "property": "tokens"}, 6.5),
        ({"func": "max", "property": "tokens"}, 3.5),
        ({"func": "min", "property": "tokens"}, 1),
        ({"func": "avg", "property": "tokens"}, 6.5 / 3),
        ({"func": "unique", "property": "model"}, 2),
        ({"func": "sum", "property": "nothing"}, 0),
    ],
)
def test_ways_to_count(here: Inside, aggregation: Doc, result: float) -> None:
    key = meter(here, aggregation)["id"]
    ingest(
        here,
        {"metadata": {"tokens": 2, "model": "small"}},
        {"metadata": {"tokens": 1, "model": "large"}},
        {"metadata": {"tokens": 3.5, "model": "small"}},
        {"metadata": {"tokens": "many"}},
        {"name": "other", "metadata": {"tokens": 100}},
    )
    assert used(here, key) == pytest.approx(result)


@pytest.mark.parametrize(
    ("conjunction", "clauses", "result"),
    [
        ("and", [], 3),
        ("and", [("tokens", "gt", 1), ("model", "eq", "small")], 1),
        ("or", [("tokens", "gte", 5), ("model", "ne", "small")], 2),
        ("and", [("tokens", "lt", 5)], 1),
        ("and", [("tokens", "lte", "text")], 0),
        ("and", [("model", "like", "SMA")], 1),
        ("and", [("model", "not_like", "sma")], 2),
        ("and", [("missing", "eq", True)], 0),
    ],
)
def test_filters(
    here: Inside, conjunction: str, clauses: list[tuple[str, str, Any]], result: int
) -> None:
    rows = [dict(zip(("property", "operator", "value"), row, strict=True)) for row in clauses]
    nested = {"conjunction": conjunction, "clauses": rows}
    key = meter(here, None, {"conjunction": "and", "clauses": [nested]})["id"]
    ingest(
        here,
        {"metadata": {"tokens": 2, "model": "small"}},
        {"metadata": {"tokens": 9, "model": "large"}},
        {},
    )
    assert (used(here, key) or 0) == result


def test_the_state_tells(here: Inside) -> None:
    key = meter(here)["id"]
    ingest(here, {}, {})
    assert here.events() == ["customer.state_changed"]
    (active,) = here.call("GET", "/v1/customers/external/user_1/state")["active_meters"]
    assert (active["meter_id"], active["consumed_units"], active["balance"]) == (key, 2, -2)
    ingest(here, {"name": "other"})
    assert here.events() == []
    ingest(here, {})
    assert [event["data"]["active_meters"][0]["consumed_units"] for event in here.payloads()] == [3]


def test_events_before_their_customer(here: Inside) -> None:
    ingest(here, {"external_customer_id": "later"}, {"external_customer_id": "later"})
    key = meter(here)["id"]
    customer = here.call("POST", "/v1/customers/", {"email": "l@example.com"}, 201)
    here.call("PATCH", f"/v1/customers/{customer['id']}", {"external_id": "later"})
    here.settle()
    (found,) = here.call("GET", f"/v1/customer-meters/?external_customer_id=later&meter_id={key}")[
        "items"
    ]
    assert found["consumed_units"] == 2


def test_lists(here: Inside) -> None:
    ingest(here, {"timestamp": "2026-01-01T00:00:00Z", "metadata": {"a": "b"}}, {"name": "other"})
    listed = here.call("GET", "/v1/events/")["items"]
    assert [event["name"] for event in listed] == ["other", "call"]
    assert listed[0]["customer"]["external_id"] == "user_1"
    one = here.call("GET", f"/v1/events/{listed[1]['id']}")
    assert one["timestamp"].startswith("2026-01-01")
    for query in ("name=call", "metadata[a]=b", "end_timestamp=2026-02-01", "query=cal"):
        assert [e["name"] for e in here.call("GET", f"/v1/events/?{query}")["items"]] == ["call"]
    assert here.call("GET", "/v1/events/?source=system")["items"] == []
    names = here.call("GET", "/v1/events/names?limit=1")
    assert (len(names["items"]), names["pagination"]["total_count"]) == (1, 2)


def test_quantities(here: Inside) -> None:
    days = ("2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z", "2026-01-03T00:00:00Z")
    ingest(here, *({"timestamp": day} for day in days))
    path = f"/v1/meters/{meter(here)['id']}/quantities"
    span = "start_timestamp=2026-01-01&end_timestamp=2026-01-04"
    got = here.call("GET", f"{path}?{span}&interval=day&external_customer_id=user_1")
    assert [row["quantity"] for row in got["quantities"]] == [2, 0, 1]
    assert got["total"] == 3
    assert here.call("GET", f"{path}?{span}&interval=month&customer_id={NOBODY}")["total"] == 0
    ages = "start_timestamp=2000-01-01&end_timestamp=2026-01-01&interval=hour"
    here.call("GET", f"{path}?{ages}", None, 422)
    here.call("GET", path, None, 422)
    here.call("GET", f"{path}?{span}&interval=blink", None, 422)


def test_archived_meters_rest(here: Inside) -> None:
    key = meter(here)["id"]
    here.call("PATCH", f"/v1/meters/{key}", {"is_archived": True, "name": "Old"})
    ingest(here, {})
    assert used(here, key) is None
    assert here.call("GET", "/v1/meters/?is_archived=false")["items"] == []
    assert len(here.call("GET", "/v1/meters/?is_archived=true&query=old")["items"]) == 1
    here.call("PATCH", f"/v1/meters/{key}", {"is_archived": False})
    assert used(here, key) == 1


@pytest.mark.parametrize(
    "event",
    [
        {"name": None},
        {"name": ""},
        {"name": "x" * 129},
        {"external_customer_id": None},
        {"external_customer_id": 3},
        {"customer_id": "x"},
        {"customer_id": NOBODY},
        {"timestamp": "soon"},
        {"timestamp": "2100-01-01T00:00:00Z"},
        {"metadata": {"a": None}},
        {"external_id": 3},
    ],
)
def test_bad_events(here: Inside, event: Doc) -> None:
    answer = ingest(here, {}, event, status=422)
    assert answer["detail"][0]["loc"][:3] == ["body", "events", 1]
    assert here.call("GET", "/v1/events/")["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"filter": []},
        {"filter": {}},
        {"filter": {"conjunction": "xor", "clauses": []}},
        {"filter": {"conjunction": "and", "clauses": {}}},
        {"filter": {"conjunction": "and", "clauses": [3]}},
        {"filter": {"conjunction": "and", "clauses": [{"property": "a", "operator": "is", "value": 1}]}},
        {"filter": {"conjunction": "and", "clauses": [{"property": "a", "operator": "eq", "value": []}]}},
        {"filter": CALLS, "aggregation": {"func": "median", "property": "a"}},
        {"filter": CALLS, "aggregation": {"func": "sum"}},
        {"filter": CALLS, "aggregation": "count"},
    ],
)  # fmt: skip
def test_bad_meters(here: Inside, body: Doc) -> None:
    here.call("POST", "/v1/meters/", {"name": "Calls", **body}, 422)


@pytest.mark.parametrize("body", [{}, {"events": None}, {"events": "x"}, {"events": [3]}])
def test_bad_bodies(here: Inside, body: Doc) -> None:
    here.call("POST", "/v1/events/ingest", body, 422)


def test_no_events_are_fine(here: Inside) -> None:
    assert ingest(here) == {"inserted": 0, "duplicates": 0}


def test_sdk(sdk: Polar, polar: LocalPolar) -> None:
    customer = sdk.customers.create(email="a@example.com", external_id="user_1")
    wanted: Any = CALLS
    made = sdk.meters.create(name="Calls", filter=wanted, aggregation={"func": "count"})
    assert sdk.meters.get(made.id).name == "Calls"
    assert sdk.meters.list().items[0].id == made.id
    got = sdk.events.ingest(
        events=[
            {"name": "call", "customer_id": customer.id, "external_id": "1"},
            {"name": "call", "external_customer_id": "user_1"},
        ]
    )
    assert (got.inserted, got.duplicates) == (2, 0)
    polar.wait_idle()
    assert sdk.customer_meters.list(customer_id=[customer.id]).items[0].consumed_units == 2
    assert sdk.customers.get_state_external("user_1").active_meters[0].meter_id == made.id
    event = sdk.events.list().items[0]
    assert sdk.events.get(event.id).name == "call"
    assert sdk.meters.update(made.id, name="Requests").name == "Requests"
    assert polar.events()[-1] == "customer.state_changed"
