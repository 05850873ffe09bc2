"""Too much, over a real socket: the sender must read the answer, not a broken pipe."""

import http.client
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.serving import served
from tests.webhooks.door import URL, signed

BODY = b'"' + b"x" * 10 * 1024 * 1024 + b'"'


@pytest.fixture
def port(app: Flask) -> Iterator[int]:
    with served(app) as address:
        yield int(address.rpartition(":")[2])


@pytest.mark.parametrize("chunked", [False, True])
def test_ten_megabytes_are_answered(port: int, chunked: bool) -> None:
    pieces = (BODY[start : start + 65536] for start in range(0, len(BODY), 65536))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(
        "POST", URL, body=pieces if chunked else BODY, headers=signed(BODY), encode_chunked=chunked
    )
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (413, b"The body is too large.\n")
    connection.close()
