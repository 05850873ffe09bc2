"""A real receiver of webhooks, on a free port."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = b'{"ok":true}'
# An entry of `answers` for one that comes after a client with a patience of less has gone.
TOO_SLOW, SLOW_SECONDS = 0, 0.4


@dataclass
class Delivery:
    """One request that arrived: its headers in lower case, and its raw body."""

    headers: dict[str, str]
    raw: bytes


@dataclass
class Receiver:
    """An endpoint that answers what `answers` says next, else 200; TOO_SLOW lets the client wait."""

    url: str
    deliveries: list[Delivery] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """An HTTP server, as long as it is needed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.deliveries.append(Delivery(headers, raw))
            status = found.answers.pop(0) if found.answers else 200
            if status == TOO_SLOW:
                time.sleep(SLOW_SECONDS)
                self.close_connection = True
                return
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(ANSWER)))
            self.end_headers()
            self.wfile.write(ANSWER)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Receiver(f"http://127.0.0.1:{server.server_port}/webhooks")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
