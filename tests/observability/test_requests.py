"""Each request has a number and a line of its own, whatever was before it in the same thread."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from saas.observability import context
from tests.backoffice.conftest import STAFF
from tests.backoffice.staffing import hire, log, press
from tests.browsing import sign_in
from tests.observability.reading import Lines
from tests.security.test_headers import PRODUCTION


@pytest.fixture
def app(clean: None, make_app: Callable[..., Flask]) -> Flask:
    return make_app(access_log=True)


def access(lines: Lines) -> list[dict[str, Any]]:
    return [line for line in lines() if line["logger"] == "saas.access"]


@pytest.mark.parametrize("url", ["/staff", "/staff/users", "/nowhere"])
def test_a_stranger_gets_nothing_of_the_visitor_before(app: Flask, lines: Lines, url: str) -> None:
    ada, public_id = sign_in(app)
    before = ada.get("/dashboard")
    answer = app.test_client().get(url)
    assert answer.status_code == 404
    first, second = access(lines)[-2:]
    assert (first["user"], first["request_id"]) == (public_id, before.headers["X-Request-ID"])
    assert "user" not in second
    assert second["request_id"] == answer.headers["X-Request-ID"] != first["request_id"]
    assert second["duration_ms"] > 0


def test_the_lines_of_staff_name_them(app: Flask, lines: Lines) -> None:
    client, public_id = sign_in(app, STAFF)
    hire(app, STAFF)
    assert client.get("/staff").status_code == 200
    assert access(lines)[-1]["user"] == public_id


def test_an_act_of_staff_is_known_by_the_number_of_its_request(app: Flask) -> None:
    client, _ = sign_in(app, STAFF)
    hire(app, STAFF)
    _, ada = sign_in(app)
    page = f"/staff/users/{ada}"
    chosen = {"HTTP_X_REQUEST_ID": "chosen-by-the-client"}
    client.environ_base |= chosen
    answer = press(client, f"{page}/sign-out", page).history[0]
    [entry] = log(app, "user.signed_out")
    assert entry.request_id == answer.headers["X-Request-ID"]
    assert entry.request_id not in {"", *chosen.values()}
    assert entry.address == "127.0.0.1"


def test_a_foreign_host_is_refused_on_staff_pages_too(make_app: Callable[..., Flask]) -> None:
    client = make_app(**PRODUCTION).test_client()
    assert client.get("/staff", headers={"Host": "evil.example"}).status_code == 421


def test_nothing_stays_behind_when_a_request_is_over(app: Flask) -> None:
    """What gunicorn logs in this thread before the next one begins belongs to nobody."""
    client, _ = sign_in(app)
    client.get("/dashboard")
    assert context.known() == {}
