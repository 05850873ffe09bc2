"""The examples in docs/entitlements.md run as they stand, for a page and for a JSON client."""

import re
from typing import Any

import pytest
from flask import Blueprint, Flask, render_template_string
from flask.testing import FlaskClient
from flask_login import login_user

from saas.accounts.models import User
from saas.config import ROOT
from saas.extensions import db
from tests.billing.holding_data import put_subscription
from tests.browsing import sign_in

PAGE = (ROOT / "docs/entitlements.md").read_text(encoding="utf-8")
JSON = {"Accept": "application/json"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def example(make_app: Any, clean: None) -> tuple[Flask, dict[str, Any]]:
    """An application with the views of the page, and the names they define."""
    app: Flask = make_app()
    names: dict[str, Any] = {"bp": Blueprint("example", __name__)}
    for block in blocks("python"):
        exec(block, names)
    app.register_blueprint(names["bp"])
    return app, names


def subscriber(app: Flask, name: str | None) -> tuple[FlaskClient, str]:
    client, public_id = sign_in(app)
    with app.app_context():
        user = db.session.scalars(db.select(User)).one()
        if name:
            put_subscription(user, name)
    return client, public_id


@pytest.mark.parametrize(
    ("plan", "url", "code"),
    [
        (None, "/export", "feature_required"),
        ("Free", "/export", "feature_required"),
        ("Pro", "/export", ""),
        (None, "/members", "subscription_required"),
        ("Free", "/members", "subscription_required"),
        ("Pro", "/members", ""),
        ("Pro", "/war-room", "subscription_required"),
        ("Team", "/war-room", ""),
        (None, "/projects/new", ""),
    ],
)
def test_who_gets_in(
    example: tuple[Flask, dict[str, Any]], plan: str | None, url: str, code: str
) -> None:
    client, _ = subscriber(example[0], plan)
    page, answer = client.get(url), client.get(url, headers=JSON)
    if code:
        assert (page.status_code, page.location) == (303, "/pricing")
        assert answer.status_code == 402
        assert answer.get_json()["error"]["code"] == code
        assert "Choose" in client.get("/pricing").text
    else:
        assert (page.status_code, answer.status_code) == (200, 200)


@pytest.mark.parametrize("url", ["/export", "/members", "/war-room", "/projects/new"])
def test_visitors_sign_in_first(example: tuple[Flask, dict[str, Any]], url: str) -> None:
    client = example[0].test_client()
    assert client.get(url).location == f"/login?next={url}"
    assert client.get(url, headers=JSON).status_code == 401


def test_limit_counts(example: tuple[Flask, dict[str, Any]]) -> None:
    app, names = example
    client, public_id = subscriber(app, None)
    names["projects"][public_id] = ["one", "two"]
    assert client.get("/projects/new").status_code == 200
    names["projects"][public_id].append("three")
    assert client.get("/projects/new", headers=JSON).get_json()["error"] == {
        "code": "limit_reached",
        "message": "Your plan includes 3 projects, and you have 3.",
        "name": "projects",
        "limit": 3,
        "used": 3,
    }


def test_in_a_view_and_in_a_template(example: tuple[Flask, dict[str, Any]]) -> None:
    app, _ = example
    client, _ = subscriber(app, "Pro")
    assert client.get("/summary").text == "pro: 25 projects, reports"
    assert app.test_client().get("/summary").text == "free: 3 projects"
    with app.test_request_context():
        login_user(db.session.scalars(db.select(User)).one())
        words = render_template_string(blocks("jinja")[0])
    assert " ".join(words.split()) == "Pro: 25 projects and reports"


def test_the_reason_in_json_is_the_one_shown(example: tuple[Flask, dict[str, Any]]) -> None:
    import json

    client, _ = subscriber(example[0], None)
    assert client.get("/export", headers=JSON).get_json() == json.loads(blocks("json")[0])
