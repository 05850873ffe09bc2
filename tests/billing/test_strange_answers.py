"""Answers that are not Polar's: each is one of the errors that everybody expects, none is a bug."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, request

from saas.billing import gateway
from saas.billing.gateway import PolarRejected
from tests.serving import served

DEEP = "[" * 60_000 + "]" * 60_000
ANSWERS = {
    "deep": (200, DEEP),
    "deep and whole": (200, '{"items": ' + "[" * 500 + "]" * 500 + "}"),
    "deep refusal": (422, '{"detail": ' + "[" * 500 + "]" * 500 + "}"),
    "words": (200, "<html>"),
    "no list": (200, '{"items": {}}'),
    "no objects": (200, '{"items": [1, null]}'),
    "pages in words": (200, '{"items": [], "pagination": "three"}'),
    "errors in words": (422, '{"detail": ["wrong"]}'),
}


@pytest.fixture
def strange() -> Iterator[str]:
    """The address of a Polar that answers as the token says."""
    stranger = Flask(__name__)

    @stranger.route("/<path:_path>")
    def anything(_path: str) -> Response:
        status, body = ANSWERS[request.headers["authorization"].removeprefix("Bearer ")]
        return Response(body, status, content_type="application/json")

    with served(stranger) as url:
        yield url


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_nobody_can_read_is_refused(
    make_app: Callable[..., Any], strange: str, name: str
) -> None:
    app = make_app(polar_api_url=strange, polar_access_token=name)
    with app.app_context(), pytest.raises(PolarRejected) as refusal:
        list(gateway.products())
    assert not refusal.value.complains_of_field("email")
