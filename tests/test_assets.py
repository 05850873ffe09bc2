"""Static files under names that carry a hash, and the names they had in another release."""

import re

import pytest
from flask.testing import FlaskClient


def style_sheet(client: FlaskClient) -> str:
    found = re.search(r'href="(/static/css/app\.\w+\.css)"', client.get("/").text)
    assert found
    return found[1]


def test_a_page_of_another_release_finds_its_style_sheet(client: FlaskClient) -> None:
    ours = style_sheet(client)
    of_another = re.sub(r"\.\w{12}\.", ".0123456789ab.", ours)
    assert of_another != ours
    with client.get(of_another) as answer, client.get(ours) as kept:
        assert answer.status_code == 200
        assert answer.data == kept.data
        assert answer.headers["Content-Type"].startswith("text/css")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "immutable" in kept.headers["Cache-Control"]


@pytest.mark.parametrize(
    "name",
    ["css/none.0123456789ab.css", "css/app.0123456789aX.css", "none", "../wsgi.0123456789ab.py"],
)
def test_what_was_never_there_is_not_found(client: FlaskClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404
