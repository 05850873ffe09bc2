"""Every route with every method and any input: no 500, no traceback, nothing slow, nothing changed."""

import gc

import pytest
from flask import Flask
from hypothesis import given

from tests.billing.buying import fill_catalogue
from tests.fuzz.effort import cases
from tests.fuzz.inputs import Request, requests
from tests.fuzz.site import Answer, Site
from tests.security.routes import MACHINES, UNSAFE

SLOW = 3.0  # Seconds. Ordinary answers take a hundredth; a busy machine is given two more tries.
BREAKDOWN = (500, 501, 502, 504)
TELLTALE = (
    b"Traceback (most recent call last)",
    b"sqlalchemy.exc",
    b'File "/',
    b"werkzeug.exceptions",
)

# werkzeug leaves the file of an upload that breaks off to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:.*(SpooledTemporaryFile|FileIO|BufferedRandom)")


@pytest.fixture(scope="module")
def templates(polar_shared_app: Flask) -> list[tuple[str, list[str]]]:
    found = []
    for rule in polar_shared_app.url_map.iter_rules():
        if rule.endpoint not in MACHINES:
            gaps = sorted(rule.arguments)
            url = "".join(part if not gap else "{" + part + "}" for gap, part in rule._trace)
            found.append((url.replace("|", "", 1), gaps))
    return found


@pytest.fixture
def site(polar_app: Flask) -> Site:
    fill_catalogue(polar_app)
    return Site(polar_app)


def test_every_route_stands(site: Site, templates: list[tuple[str, list[str]]]) -> None:
    share = 1 / len(templates)
    for template in templates:

        @cases(6, share)
        @given(request=requests(*template))
        def fire(request: Request) -> None:
            changeless = request.method in UNSAFE and not request.with_token
            site.prepare(request)
            before = site.state() if changeless else None
            answer = site.send(request)
            for _ in range(2):
                if answer.seconds > SLOW:
                    answer = site.send(request)
            check(request, answer)
            if changeless:
                assert site.state() == before, request

        fire()
    gc.collect()


def check(request: Request, answer: Answer) -> None:
    """Raise for an answer that no request may get."""
    assert answer.status not in BREAKDOWN, (answer.status, request)
    assert not any(word in answer.body for word in TELLTALE), request
    assert answer.seconds < SLOW, (answer.seconds, request)
    assert "X-Content-Type-Options" in answer.headers, request
