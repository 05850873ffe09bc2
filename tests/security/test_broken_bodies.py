"""A body that breaks off, or is no HTTP, is the sender's mistake: gunicorn finds out while we read it."""

import socket
import struct
from collections.abc import Iterator

import pytest

from tests.scripts import ROOT  # noqa: F401 - adds the scripts to the path.
from tests.scripts.running import wait_until

import bench_server  # isort: skip

FORM = b"Host: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
CHUNKED = FORM + b"Transfer-Encoding: chunked\r\n\r\n"
LARGE = 2 * 1024 * 1024
NO_SIZE = CHUNKED + b"ZZ\r\n\r\n"
NO_END = CHUNKED + b"5\r\nemailXX"
NO_SIZE_AFTER_TOO_MUCH = CHUNKED + b"%x\r\n%s\r\nZZ\r\n" % (LARGE, b"x" * LARGE)
BROKEN_OFF_AFTER_TOO_MUCH = FORM + b"Content-Length: 5000000\r\n\r\n" + b"x" * LARGE


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with bench_server.sqlite_database() as url:
        bench_server.migrate(url)
        with bench_server.Server("wsgi:app", url, LOG_LEVEL="ERROR") as server:
            yield server.port


@pytest.mark.parametrize("path", ["/login", "/webhooks/polar"])
def test_it_is_refused_and_no_bug(port: int, path: str, capfd: pytest.CaptureFixture[str]) -> None:
    for request, statuses in (
        (NO_SIZE, {400}),
        (NO_END, {400}),
        (NO_SIZE_AFTER_TOO_MUCH, {400, 413}),
    ):
        assert status_of(port, path, request) in statuses
    with sent(port, path, BROKEN_OFF_AFTER_TOO_MUCH) as connection:
        at_once = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    assert wait_until(lambda: status_of(port, path, NO_SIZE) == 400)
    assert capfd.readouterr().err == ""


def status_of(port: int, path: str, request: bytes) -> int:
    with sent(port, path, request) as connection:
        return int(connection.recv(1024).split()[1])


def sent(port: int, path: str, request: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(b"POST %s HTTP/1.1\r\n" % path.encode() + request)
    return connection
