"""Static files under names that carry a hash, and the names they had in another release."""

import gzip
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from saas import assets


def style_sheet(client: FlaskClient) -> str:
    found = re.search(r'href="(/static/css/app\.\w+\.css)"', client.get("/").text)
    assert found
    return found[1]


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of static files to change."""
    folder = tmp_path / "static"
    shutil.copytree(assets.STATIC, folder)
    monkeypatch.setattr(assets, "STATIC", folder)
    return folder


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


def test_nothing_is_written_and_nothing_is_read_again(
    copy: Path, make_app: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder for temporary files is emptied by the system after some days."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    client = make_app().test_client()
    shutil.rmtree(copy)
    addresses = [style_sheet(client), "/static/css/base.css", "/static/img/favicon.ico"]
    for address in addresses:
        assert client.get(address).status_code == 200
    assert client.get(style_sheet(client).replace("app.", "app.0", 1)).status_code == 404
    assert list(tmp_path.iterdir()) == []


def test_a_large_file_stays_on_the_disk_and_may_go(
    copy: Path, make_app: Callable[..., Flask]
) -> None:
    film = copy / "img" / "film.mp4"
    film.write_bytes(bytes(assets.LARGEST_KEPT + 1))
    app = make_app()
    client = app.test_client()
    hashed = app.jinja_env.globals["asset"]("img/film.mp4")
    for address in ("/static/img/film.mp4", hashed, re.sub(r"\w{12}(?=\.mp4)", "0" * 12, hashed)):
        with client.get(address) as answer:
            assert len(answer.data) == assets.LARGEST_KEPT + 1
    film.unlink()
    for address in ("/static/img/film.mp4", hashed, re.sub(r"\w{12}(?=\.mp4)", "0" * 12, hashed)):
        assert client.get(address).status_code == 404


def test_what_browsers_ask_for(client: FlaskClient) -> None:
    address = style_sheet(client)
    whole = client.get(address)
    assert whole.headers["Vary"] == "Accept-Encoding"
    assert "immutable" in whole.headers["Cache-Control"]
    assert whole.headers["ETag"] == f'"{address.split(".")[-2]}"'
    small = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert int(small.headers["Content-Length"]) == len(small.data) < len(whole.data)
    assert gzip.decompress(small.data) == whole.data
    part = client.get(address, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, whole.data[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole.data)}"
    end = client.get(address, headers={"Range": "bytes=-5", "Accept-Encoding": "gzip"})
    assert (end.status_code, end.data) == (206, small.data[-5:])
    beyond = client.get(address, headers={"Range": "bytes=9999999-"})
    assert (beyond.status_code, beyond.data) == (416, b"")
    odd = client.get(address, headers={"Range": "lines=1-2"})
    assert (odd.status_code, odd.data) == (200, whole.data)
    known = client.get(address, headers={"If-None-Match": whole.headers["ETag"]})
    assert (known.status_code, known.data) == (304, b"")
    later = client.get(address, headers={"If-Modified-Since": whole.headers["Last-Modified"]})
    assert later.status_code == 304
    head = client.head(address)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(whole.data))
    assert client.post(address).status_code == 405
    plain = client.get("/static/css/base.css").headers["Cache-Control"]
    assert plain == "max-age=60, public"


def test_with_the_debugger_a_change_shows_at_once(
    copy: Path, make_app: Callable[..., Flask]
) -> None:
    app = make_app(debug=True)
    client = app.test_client()
    before = app.jinja_env.globals["asset"]("img/icons.svg")
    (copy / "img" / "icons.svg").write_text("<svg/>")
    after = app.jinja_env.globals["asset"]("img/icons.svg")
    assert before != after
    assert client.get(after).data == b"<svg/>"
    with client.get("/static/img/icons.svg") as now:
        assert now.data == b"<svg/>"
