"""A visitor of the benchmark: signs in by the form, and asks for one page again and again, many at once."""

import re
import select
import socket
import time
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

from bench_load import Measured

PATIENCE_SECONDS = 20.0


class Browser:
    """Keeps cookies and follows redirects, as much as signing in needs."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.jar = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path: str) -> str:
        """Return the text of a page. Raises ``OSError`` for a status from 400 up."""
        with self.opener.open(self.origin + path, timeout=PATIENCE_SECONDS) as answer:
            return str(answer.read().decode())

    def sign_in(self, email: str, password: str) -> None:
        """Use the form. Raises ``SystemExit`` when it does not let us in."""
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get("/login"))
        fields = {"email": email, "password": password, "csrf_token": token[1] if token else ""}
        body = urllib.parse.urlencode(fields).encode()
        with self.opener.open(self.origin + "/login", body, timeout=PATIENCE_SECONDS) as answer:
            if urllib.parse.urlsplit(answer.url).path == "/login":
                raise SystemExit("The benchmark could not sign in.")

    def cookies(self) -> str:
        """Return what goes into the header ``Cookie``."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)


def ask_many(port: int, path: str, *, times: int, at_once: int, cookies: str = "") -> Measured:
    """Ask for a page so many times over so many kept-open connections, from one thread with one poll.

    Cheaper than a thread for each connection, so that on a small machine the server is what is measured.
    """
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/html\r\n"
    request += f"Cookie: {cookies}\r\n" if cookies else ""
    return _Crowd(port, request.encode() + b"\r\n", times).run(at_once)


class _Crowd:
    def __init__(self, port: int, request: bytes, times: int) -> None:
        self.port, self.request, self.left = port, request, times
        self.measured = Measured()
        self.poll = select.poll()
        self.open: dict[int, tuple[socket.socket, float]] = {}
        self.data: dict[int, bytes] = {}

    def run(self, at_once: int) -> Measured:
        started = time.perf_counter()
        for _ in range(min(at_once, self.left)):
            self._connect()
        while self.open:
            ready = self.poll.poll(PATIENCE_SECONDS * 1000)
            if not ready:
                raise SystemExit("The server does not answer any more.")
            for number, _ in ready:
                self._read(number)
        self.measured.elapsed = time.perf_counter() - started
        return self.measured

    def _connect(self) -> None:
        connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.poll.register(connection, select.POLLIN)
        self._ask(connection)

    def _ask(self, connection: socket.socket) -> None:
        self.left -= 1
        self.data[connection.fileno()] = b""
        self.open[connection.fileno()] = (connection, time.perf_counter())
        connection.sendall(self.request)

    def _read(self, number: int) -> None:
        connection, since = self.open[number]
        chunk = connection.recv(262144)
        data = self.data[number] = self.data[number] + chunk
        if chunk and not _is_whole(data):
            return
        status = int(data[9:12]) if chunk else 0
        self.measured.statuses[status] = self.measured.statuses.get(status, 0) + 1
        self.measured.seconds.append(time.perf_counter() - since)
        closes = not chunk or b"connection: close" in data.partition(b"\r\n\r\n")[0].lower()
        if closes or not self.left:
            self.poll.unregister(connection)
            del self.open[number]
            connection.close()
            if self.left:
                self._connect()
        else:
            self._ask(connection)


def _is_whole(data: bytes) -> bool:
    head, separator, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    return bool(separator and length) and len(body) >= int(length[1])
