"""What each process has for itself, also when it was forked from one that had it already."""

import os
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """Holds one ``T`` for each process, made when it is first asked for there."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._pid = 0
        self._value: T | None = None

    def made(self) -> T | None:
        """Return the one of this process if there is one."""
        return self._value if self._pid == os.getpid() else None

    def get(self) -> T:
        """Return the one of this process."""
        with self._lock:
            if self._value is None or self._pid != os.getpid():
                self._value, self._pid = self._make(), os.getpid()
            return self._value


def new_name() -> str:
    """Return a name for this process that no other one has or had: host, number, something random."""
    return f"{socket.gethostname()[:64]}:{os.getpid()}:{secrets.token_hex(3)}"
