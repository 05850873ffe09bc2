"""The JSON calls: start a checkout, see how it stands, and errors in one shape."""

import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from polar_emulator.testing import LocalPolar
from saas.billing import gateway
from tests.billing.buying import buy, fill_catalogue, pay
from tests.browsing import csrf_token, sign_in

URL = "/api/billing/checkout"


def post(client: FlaskClient, body: Any, token: str | None = None) -> TestResponse:
    token = token or csrf_token(client, "/settings/account")
    return client.post(URL, json=body, headers={"X-CSRFToken": token})


def error(response: TestResponse) -> tuple[int, str]:
    """The status and code of an error, whose shape is checked on the way."""
    body = response.get_json()
    assert set(body) == {"error"}
    assert {"code", "message"} <= set(body["error"])
    assert "Traceback" not in response.text
    assert "polar" not in body["error"]["message"].lower()
    return response.status_code, body["error"]["code"]


def test_from_a_choice_to_a_plan(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    metadata = {"campaign": "autumn", "seats": 3, "trial": True, "coupon": None}
    response = post(client, {"product_id": ids["Pro Monthly"], "metadata": metadata})
    assert response.status_code == 201
    made = response.get_json()
    assert set(made) == {"id", "url"}
    assert made["url"].startswith(f"{polar.url}/checkout/")
    with polar_app.app_context():
        sent = gateway.checkout(made["id"]).data["metadata"]
    assert sent == {"campaign": "autumn", "seats": 3, "trial": True, "user_id": public_id}
    assert set(made) == {"id", "url"}
    before = client.get(f"{URL}/{made['id']}").get_json()
    assert (before["status"], before["subscription"]) == ("open", None)
    pay(polar, made["url"])
    after = client.get(f"{URL}/{made['id']}").get_json()
    assert set(before) == set(after) == {"id", "status", "customer", "subscription"}
    assert set(after["customer"]) == {"id", "external_id", "email"}
    assert set(after["subscription"]) == {
        "id",
        "status",
        "product_id",
        "product_name",
        "cancel_at_period_end",
        "current_period_end",
    }
    assert after["status"] == "succeeded"
    assert after["customer"]["external_id"] == public_id
    assert after["subscription"]["status"] == "active"
    assert after["subscription"]["product_id"] == ids["Pro Monthly"]
    assert client.get("/dashboard/reports").status_code == 200


def test_one_time_purchase_has_no_subscription(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    made = post(client, {"product_id": ids["Lifetime"]}).get_json()
    pay(polar, made["url"])
    found = client.get(f"{URL}/{made['id']}").get_json()
    assert (found["status"], found["subscription"]) == ("succeeded", None)


BODIES: dict[str, tuple[Any, tuple[int, str]]] = {
    "no object": (["x"], (400, "not_json")),
    "no product": ({}, (422, "malformed_product")),
    "number as product": ({"product_id": 7}, (422, "malformed_product")),
    "unknown product": ({"product_id": str(uuid.uuid4())}, (404, "unknown_product")),
    "reserved name": ({"metadata": {"user_id": "x"}}, (422, "bad_metadata")),
    "reserved name, null": ({"metadata": {"user_id": None}}, (422, "bad_metadata")),
    "list in metadata": ({"metadata": {"x": [1]}}, (422, "bad_metadata")),
    "object in metadata": ({"metadata": {"x": {"y": 1}}}, (422, "bad_metadata")),
    "empty text": ({"metadata": {"x": ""}}, (422, "bad_metadata")),
    "long text": ({"metadata": {"x": "y" * 501}}, (422, "bad_metadata")),
    "long name": ({"metadata": {"x" * 41: 1}}, (422, "bad_metadata")),
    "empty name": ({"metadata": {"": 1}}, (422, "bad_metadata")),
    "infinite number": ({"metadata": {"x": float("inf")}}, (422, "bad_metadata")),
    "many names": ({"metadata": {str(n): n for n in range(50)}}, (422, "bad_metadata")),
    "metadata as text": ({"metadata": "x"}, (422, "bad_metadata")),
}


@pytest.mark.parametrize(("body", "expected"), BODIES.values(), ids=BODIES.keys())
def test_bodies_that_are_refused(
    polar_app: Flask, polar: LocalPolar, body: Any, expected: tuple[int, str]
) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    if isinstance(body, dict) and "metadata" in body:
        body = {"product_id": ids["Pro Monthly"]} | body
    polar.forget_requests()
    assert error(post(client, body)) == expected
    assert polar.requests() == []


@pytest.mark.parametrize(
    "body",
    ["{", "", "null", "[" * 100_000, '{"a": ' * 60_000, '{"metadata": ' * 500 + "1" + "}" * 500],
    ids=["cut", "empty", "null", "deep lists", "deep objects", "deep and whole"],
)
def test_not_json(app: Flask, body: str) -> None:
    client, _ = sign_in(app)
    headers = {"X-CSRFToken": csrf_token(client, "/settings/account")}
    response = client.post(URL, data=body, headers=headers, content_type="application/json")
    assert error(response) == (400, "not_json")


def test_who_may(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    anonymous = polar_app.test_client()
    assert error(post(anonymous, {}, csrf_token(anonymous, "/login")))[0] == 401
    assert error(anonymous.get(f"{URL}/{uuid.uuid4()}"))[0] == 401
    client, _ = sign_in(polar_app)
    assert error(client.post(URL, json={"product_id": ids["Free"]}))[0] == 400
    assert error(post(client, {"product_id": ids["Free"]}, "made up"))[0] == 400


def test_somebody_elses_and_unknown_checkouts(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    ada, _ = sign_in(polar_app)
    made = post(ada, {"product_id": ids["Pro Monthly"]}).get_json()
    bob, _ = sign_in(polar_app, "bob@example.com")
    assert error(bob.get(f"{URL}/..%2fcustomers"))[0] == 404
    for which in (made["id"], str(uuid.uuid4()), "42"):
        assert error(bob.get(f"{URL}/{which}")) == (404, "unknown_checkout")


def test_already_subscribed_is_a_reason_not_a_dead_end(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    response = post(client, {"product_id": ids["Team Monthly"]})
    assert error(response) == (422, "already_subscribed")


@pytest.mark.parametrize("fault", ["down", "500", "429", "401", "422", "html"])
def test_trouble_at_polar_is_503(polar_app: Flask, polar: LocalPolar, fault: str) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    polar.faults(api=fault)
    response = client.post(
        URL,
        json={"product_id": ids["Pro Monthly"]},
        headers={"X-CSRFToken": csrf_token(client, "/settings/account")},
    )
    assert response.status_code == 503
    assert set(response.get_json()["error"]) == {"code", "message"}
    goes_away = fault in {"down", "500", "429"}
    assert response.headers.get("Retry-After") == ("60" if goes_away else None)
    assert client.get(f"{URL}/{uuid.uuid4()}").status_code in {503, 404}


def test_unknown_address_and_method(app: Flask, client: FlaskClient) -> None:
    assert error(client.get("/api/nothing"))[0] == 404
    assert client.get(URL).get_json()["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "value",
    [10**400, -(10**400), "\ud800", "a\x00b", 2**60],
    ids=["huge", "tiny", "half", "nul", "long"],
)
def test_metadata_that_no_database_takes(
    polar_app: Flask, polar: LocalPolar, value: object
) -> None:
    from saas.billing.metadata import BadMetadata, readable_metadata

    with pytest.raises(BadMetadata):
        readable_metadata({"a": value})
    with pytest.raises(BadMetadata):
        readable_metadata({str(value)[:30] + "\x00": "x"})
