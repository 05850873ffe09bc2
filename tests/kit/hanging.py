"""A way to a server that can hang: whoever connects is let in by the kernel, and nothing comes back. Or
that can be away: whoever is connected or connects is turned out."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import make_url


class Proxy:
    """Passes bytes on between clients and a server, until it is told to hang or to be away."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self.listener.getsockname()[1])
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.is_away = False
        self.ends = False
        self._others: dict[socket.socket, socket.socket] = {}

    def run(self) -> None:
        """Pass on until the end."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.listener, selectors.EVENT_READ)
            while not self.ends:
                if self.is_away:
                    for each in list(self._others):
                        self._turn_out(selector, each)
                for key, _ in selector.select(0.1):
                    self.goes_on.wait()
                    self._serve(selector, key.fileobj)  # type: ignore[arg-type]
        for each in (self.listener, *self._others):
            each.close()

    def _serve(self, selector: selectors.BaseSelector, source: socket.socket) -> None:
        if source is self.listener and self.is_away:
            self.listener.accept()[0].close()
        elif source is self.listener:
            client, server = source.accept()[0], socket.create_connection(self.target)
            self._others |= {client: server, server: client}
            selector.register(client, selectors.EVENT_READ)
            selector.register(server, selectors.EVENT_READ)
        elif source in self._others:
            self._pass_on(selector, source)

    def _pass_on(self, selector: selectors.BaseSelector, source: socket.socket) -> None:
        other = self._others[source]
        try:
            data = source.recv(65536)
            other.sendall(data)
        except OSError:
            data = b""
        if not data:
            self._turn_out(selector, source)

    def _turn_out(self, selector: selectors.BaseSelector, source: socket.socket) -> None:
        for each in (source, self._others.get(source)):
            if each in self._others:
                selector.unregister(each)
                del self._others[each]
                each.close()


@contextmanager
def proxy_to(url: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy to the PostgreSQL or the Redis at ``url``, and the address through it."""
    parts = make_url(url)
    scheme = parts.drivername.partition("+")[0]
    proxy = Proxy(parts.host or "127.0.0.1", parts.port or {"redis": 6379}.get(scheme, 5432))
    thread = threading.Thread(target=proxy.run)
    thread.start()
    through = parts.set(drivername=scheme, host="127.0.0.1", port=proxy.port)
    try:
        yield proxy, through.render_as_string(hide_password=False)
    finally:
        proxy.ends = True
        proxy.goes_on.set()
        thread.join()
