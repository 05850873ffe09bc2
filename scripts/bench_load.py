"""A client that costs little: signed requests over kept-open sockets, several at once, each one timed."""

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bench_stories import Delivery
from standardwebhooks import Webhook

PATIENCE_SECONDS = 30.0
TRIES = (
    200  # While workers are killed a connection breaks now and then; Polar would come back, too.
)


@dataclass
class Measured:
    """Seconds for each answer, in the order of arrival, the statuses, and how long it all took."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    broken: int = 0
    elapsed: float = 0.0

    @property
    def per_second(self) -> float:
        """Answers in a second."""
        return len(self.seconds) / self.elapsed

    def percentile(self, share: float) -> float:
        """Milliseconds that so large a share of the answers stayed below."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def signed(delivery: Delivery, secret: str, path: str) -> bytes:
    """Return a whole HTTP request, signed now."""
    moment = datetime.now(UTC)
    signature = Webhook(secret.encode()).sign(delivery.webhook_id, moment, delivery.body.decode())
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"User-Agent: polar.sh webhooks\r\nwebhook-id: {delivery.webhook_id}\r\n"
        f"webhook-timestamp: {int(moment.timestamp())}\r\nwebhook-signature: {signature}\r\n"
        f"Content-Length: {len(delivery.body)}\r\n\r\n"
    )
    return head.encode() + delivery.body


def send_all(
    port: int, requests: Iterable[bytes], *, at_once: int, stubborn: bool = False
) -> Measured:
    """Send every request, so many at once. ``stubborn`` repeats what got no 2xx, as Polar does."""
    measured, queue, lock = Measured(), iter(list(requests)), threading.Lock()
    started = time.perf_counter()
    threads = [
        threading.Thread(  # A daemon: after Ctrl-C nobody waits for what is still to be sent.
            target=_work, args=(port, queue, lock, measured, stubborn), daemon=True
        )
        for _ in range(at_once)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    measured.elapsed = time.perf_counter() - started
    return measured


def _work(
    port: int, queue: Iterator[bytes], lock: threading.Lock, measured: Measured, stubborn: bool
) -> None:
    connection = Connection(port)
    while True:
        with lock:
            request = next(queue, None)
        if request is None:
            break
        for _ in range(TRIES if stubborn else 1):
            status, seconds = connection.ask(request)
            with lock:
                measured.broken += status == 0
                measured.statuses[status] = measured.statuses.get(status, 0) + 1
                measured.seconds.append(seconds)
            if 200 <= status < 300:
                break
            time.sleep(0.05)
    connection.close()


class Connection:
    """One socket, kept open and opened again when it breaks."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket: socket.socket | None = None

    def ask(self, request: bytes) -> tuple[int, float]:
        """Return the status (0 for none) and the seconds until the whole answer was there."""
        started = time.perf_counter()
        try:
            if self.socket is None:
                self.socket = socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS)
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.sendall(request)
            status, keep = _read_answer(self.socket)
        except (OSError, ValueError):
            status, keep = 0, False
        if not keep:
            self.close()
        return status, time.perf_counter() - started

    def close(self) -> None:
        """Hang up."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def _read_answer(connection: socket.socket) -> tuple[int, bool]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _receive(connection)
    head, _, rest = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    missing = int(headers["content-length"]) - len(rest)
    while missing > 0:
        missing -= len(_receive(connection))
    return int(lines[0].split()[1]), headers.get("connection") != "close"


def _receive(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    if not chunk:
        raise ConnectionError("closed")
    return chunk
