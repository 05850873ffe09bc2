"""More than a page takes: refused early, read to its end, and never held in memory."""

import gc
import http.client
import io
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from saas.extensions import limiter
from tests.accounts.pages import token_of
from tests.security.routes import doors
from tests.serving import served

LIMIT = 1024 * 1024
FORM = "application/x-www-form-urlencoded"

# werkzeug leaves the file of an upload that breaks off to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:.*(SpooledTemporaryFile|FileIO|BufferedRandom)")


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    gc.freeze()  # What there was before need not be looked at.
    yield
    gc.collect()
    gc.unfreeze()


def test_every_door_refuses_more_than_a_mebibyte(app: Flask, client: FlaskClient) -> None:
    token = token_of(client)
    body = b"email=" + b"x" * LIMIT
    for method, url in [*doors(app), ("POST", "/nothing-is-here")]:  # A hidden one is no exception.
        limiter.reset()
        headers = {"X-CSRFToken": token}
        answer = client.open(url, method=method, data=body, content_type=FORM, headers=headers)
        assert answer.status_code == 413, (method, url)


@pytest.fixture
def port(app: Flask) -> Iterator[int]:
    with served(app) as address:
        yield int(address.rpartition(":")[2])


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("kind", [FORM, "application/json", "multipart/form-data; boundary=x"])
def test_the_sender_reads_an_answer(port: int, chunked: bool, kind: str) -> None:
    body = b"email=" + b"x" * (8 * LIMIT)
    pieces = (body[start : start + 65536] for start in range(0, len(body), 65536))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Content-Type": kind, "Host": "127.0.0.1:8000"}
    connection.request(
        "POST", "/login", pieces if chunked else body, headers=headers, encode_chunked=chunked
    )
    answer = connection.getresponse()
    assert answer.status in {400, 413}
    answer.read()
    connection.close()


@pytest.mark.parametrize("parts", [1001, 20_000])
def test_a_form_of_very_many_parts(client: FlaskClient, parts: int) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
    body = io.BytesIO(part * parts + b"--x--\r\n")
    kind = "multipart/form-data; boundary=x"
    assert client.post("/login", input_stream=body, content_type=kind).status_code in {400, 413}


def test_a_form_of_very_many_fields(client: FlaskClient) -> None:
    body = "&".join(f"f{number}=1" for number in range(100_000))
    assert client.post("/login", data=body, content_type=FORM).status_code in {400, 413, 422}


def test_a_part_with_a_very_long_head(client: FlaskClient) -> None:
    head = (
        b"--x\r\nContent-Disposition: form-data; name=" + b"a" * 500_000 + b"\r\n\r\n\r\n--x--\r\n"
    )
    kind = "multipart/form-data; boundary=x"
    assert client.post("/login", data=head, content_type=kind).status_code in {400, 413}


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "99999999999999999999"])
def test_a_length_that_is_none(client: FlaskClient, length: str) -> None:
    answer = client.post("/login", environ_overrides={"CONTENT_LENGTH": length})
    assert answer.status_code in {400, 413, 422}


def test_files_are_not_taken(client: FlaskClient) -> None:
    data = {"email": (io.BytesIO(b"x" * 600_000), "x.exe"), "csrf_token": token_of(client)}
    assert client.post("/login", data=data).status_code == 422
