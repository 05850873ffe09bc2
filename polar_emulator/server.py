"""The process: a threaded server on loopback, the job worker and the courier behind it."""

from __future__ import annotations

import errno
import signal
import socket
import sqlite3
import sys
import threading
from types import FrameType
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from polar_emulator.app import create_app
from polar_emulator.courier import Courier
from polar_emulator.handlers import HANDLERS
from polar_emulator.jobs import Worker
from polar_emulator.settings import Settings, SettingsError
from polar_emulator.world import World


class Handler(WSGIRequestHandler):
    """Keep-alive connections, no access log, and the socket at hand for the `down` fault."""

    protocol_version = "HTTP/1.1"
    # Head and body are two writes; without this the second waits 40 ms for an acknowledgement.
    disable_nagle_algorithm = True

    def make_environ(self) -> dict[str, Any]:
        """The WSGI environment, with the connection in it."""
        environ = super().make_environ()
        environ["werkzeug.socket"] = self.connection
        return environ

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The `Date` of an answer, by the clock that can be moved: clients tell by it what is newer."""
        clock = self.server.app.extensions["polar"].clock  # type: ignore[attr-defined]
        return super().date_time_string(timestamp or clock.now().timestamp())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the control page shows the requests."""


def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. SettingsError when the port is taken or the store does not open."""
    listener = _listen(settings)
    port = listener.getsockname()[1]
    world = _open(settings)
    world.public_url = world.public_url or f"http://{_in_url(settings.host)}:{port}"
    app = create_app(world)
    server = make_server(
        settings.host, port, app, threaded=True, request_handler=Handler, fd=listener.fileno()
    )
    background: list[Worker | Courier] = [Worker(world, HANDLERS), Courier(world)]
    for thread in background:
        thread.start()
    _stop_on_signals(server)
    sys.stdout.write(f"Local Polar listening on http://{_in_url(settings.host)}:{port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        listener.close()
        world.stop()
        for thread in background:
            thread.stop()
        world.store.close()


def _open(settings: Settings) -> World:
    try:
        return World(settings)
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"Cannot open the store {settings.store}: {error}.") from None


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"Port {settings.port} is taken: stop what uses it, or choose another with "
                "--port or POLAR_EMULATOR_PORT."
            ) from None
        raise SettingsError(f"Cannot listen on port {settings.port}: {error.strerror}.") from None
    return listener


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _stop_on_signals(server: BaseWSGIServer) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        # shutdown() waits for the loop, which runs in this very thread.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
