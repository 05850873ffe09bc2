"""Parts of pages that are kept: the same for everybody, and nothing of anybody in them."""

import time
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import ChoiceLoader, DictLoader

from saas.fixed_parts import NoVisitor
from tests.browsing import csrf_token, sign_in, soup

SECONDS = 0.4
# What a macro sees is the blank request: it takes nothing from the template that calls it.
NOSY = (
    "{% macro ask() %}{{ request.cookies | length }} {{ session | length }} "
    "{{ get_flashed_messages() }}{% endmacro %}"
)
PART = '{% from "nosy.html" import ask %}{{ ask() }}'
CLOCK = "{{ clock() }} {{ word }}"


def with_parts(app: Flask) -> Flask:
    """The application with two parts of the test's, and a page that shows one of them twice."""
    parts = DictLoader({"nosy.html": NOSY, "part.html": PART, "clock.html": CLOCK})
    app.jinja_loader = ChoiceLoader([parts, app.jinja_loader])  # type: ignore[list-item]
    app.jinja_env.loader = app.jinja_loader
    app.jinja_env.globals["clock"] = time.perf_counter_ns
    fixed = app.jinja_env.globals["fixed"]
    app.add_url_rule("/nosy", "nosy", lambda: fixed("part.html"))
    app.add_url_rule("/clock/<word>", "clock", lambda word: fixed("clock.html", word=word))
    return app


@pytest.fixture
def kept(make_app: Callable[..., Flask], clean: None) -> Flask:
    return with_parts(make_app(page_cache_seconds=SECONDS))


@pytest.fixture
def visitor(kept: Flask) -> FlaskClient:
    return kept.test_client()


def test_nothing_of_a_visitor_gets_into_it(kept: Flask) -> None:
    client, _ = sign_in(kept, email="grace@example.com")
    client.get("/dashboard/reports")  # Leaves a message for the next page.
    token = csrf_token(client, "/settings/password")
    text = client.get("/nosy").text
    assert text == "0 0 []"
    assert token not in text
    assert kept.test_client().get("/nosy").text == text


@pytest.mark.parametrize(
    "asking",
    [
        "{{ current_user.email }}", "{% if current_user.is_authenticated %}{% endif %}", "{{ plan.name }}",
        '{% if can("reports") %}{% endif %}', '{{ limit("projects") }}', "{{ csrf_token() }}", "{{ g.x }}",
        "{{ request.endpoint }}", '{{ session["x"] }}', "{{ plan }}", "{% for x in session %}{% endfor %}",
        "{% if owed_payment() %}{% endif %}", '{% if plan == "pro" %}{% endif %}',
        '{% from "form.html" import csrf %}{{ csrf() }}',
    ],
)  # fmt: skip
def test_who_asks_for_the_visitor_is_told(kept: Flask, asking: str) -> None:
    form = "{% macro csrf() %}{{ csrf_token() }}{% endmacro %}"
    kept.jinja_env.loader = DictLoader({"part.html": asking, "form.html": form})
    with kept.test_request_context(), pytest.raises(NoVisitor, match="Hand in what it needs"):
        kept.jinja_env.globals["fixed"]("part.html")


def test_the_page_around_it_is_the_visitors_own(kept: Flask) -> None:
    client, _ = sign_in(kept, email="grace@example.com")
    client.get("/nosy")
    page = client.get("/dashboard").text
    assert "grace@example.com" in page
    assert "grace@example.com" not in kept.test_client().get("/login").text


def test_it_is_rendered_once_in_a_while(visitor: FlaskClient) -> None:
    first = visitor.get("/clock/a").text
    assert visitor.get("/clock/a").text == first
    assert visitor.get("/clock/b").text != first
    time.sleep(SECONDS + 0.05)
    assert visitor.get("/clock/a").text != first


def test_arguments_are_told_apart_by_their_names(kept: Flask) -> None:
    kept.jinja_env.loader = DictLoader({"part.html": "{{ a }} {{ b }}"})
    fixed = kept.jinja_env.globals["fixed"]
    with kept.test_request_context():
        assert fixed("part.html", a=True, b=False) == "True False"
        assert fixed("part.html", b=True, a=False) == "False True"


def test_with_0_seconds_it_is_rendered_each_time(
    make_app: Callable[..., Flask], clean: None
) -> None:
    visitor = with_parts(make_app(page_cache_seconds=0)).test_client()
    assert visitor.get("/clock/a").text != visitor.get("/clock/a").text


def test_invented_arguments_do_not_fill_the_memory(kept: Flask, visitor: FlaskClient) -> None:
    for number in range(450):
        visitor.get(f"/clock/{number}")
    assert len(kept.jinja_env.globals["fixed"].__self__._parts) <= 200  # type: ignore[attr-defined]


def test_the_menu_says_where_one_is(kept: Flask) -> None:
    client, _ = sign_in(kept)
    for _ in range(2):
        for url in ("/dashboard", "/settings/billing", "/settings/password"):
            here = [
                str(link["href"]) for link in soup(client.get(url)).select("[aria-current=page]")
            ]
            assert here == [url]


def test_where_the_application_is_mounted_makes_parts_of_their_own(kept: Flask) -> None:
    client, _ = sign_in(kept)
    there = client.get("/dashboard", base_url="http://127.0.0.1:8000/elsewhere").text
    assert 'href="/elsewhere/settings/billing"' in there
    assert "/elsewhere/" not in client.get("/dashboard").text


def test_only_staff_have_the_way_to_the_staff_pages(kept: Flask) -> None:
    from saas.kit.datetimes import utcnow

    staff, _ = sign_in(kept, email="staff@example.com", staff_since=utcnow())
    client, _ = sign_in(kept)
    for _ in range(2):
        assert 'href="/staff"' in staff.get("/dashboard").text
        assert 'href="/staff"' not in client.get("/dashboard").text
