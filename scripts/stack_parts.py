"""What the stack is made of besides the proxy: Redis, a mail server, processes to start and to kill."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from pathlib import Path
from types import TracebackType
from typing import Any

import redis
from aiosmtpd.controller import Controller
from processes import GUARDIAN

REDIS_URL = "redis://127.0.0.1:6379"
CLAIM = "rehearsal"  # The key that says that a Redis database is ours.
START_SECONDS = 60.0
STOP_SECONDS = 60.0


class StackError(Exception):
    """The stack could not be set up. The text is one sentence for the user."""


class Process:
    """A command in a process group of its own, with a log, that can be killed like a machine that dies."""

    def __init__(
        self, name: str, command: list[str], folder: Path, environment: dict[str, str], log: Path
    ) -> None:
        self.name, self.command, self.folder, self.log = name, command, folder, log
        self.environment = environment
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; what it says goes to its log."""
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                self.command, cwd=self.folder, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        guardian.watch(self._running.pid)

    def kill(self) -> float:
        """Kill the whole group at once, as a power failure does. Returns when."""
        return self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order; kill it when it does not."""
        self._signal(signal.SIGTERM)
        self.wait_for_end(STOP_SECONDS)
        self._signal(signal.SIGKILL)

    def wait_for_end(self, seconds: float) -> bool:
        """Return whether it ended in time."""
        if self._running is None:
            return True
        with suppress(subprocess.TimeoutExpired):
            self._running.wait(seconds)
        return self._running.poll() is not None

    def is_running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._running is not None and self._running.poll() is None

    def wait_until(self, is_ready: Callable[[], bool]) -> None:
        """Return when it is ready. Raises ``StackError`` with the end of its log when it is not."""
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            if not self.is_running() or time.monotonic() > deadline:
                raise StackError(f"{self.name} did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def _signal(self, number: signal.Signals) -> float:
        if self._running is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._running.pid, number)
            if number is signal.SIGKILL:
                self._running.wait()
        return time.monotonic()


class _Guardian:
    """Kills every process group it was told of, should this process be killed itself."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def watch(self, group: int) -> None:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", GUARDIAN],
                stdin=subprocess.PIPE, text=True, start_new_session=True,
            )  # fmt: skip
        assert self._process.stdin
        self._process.stdin.write(f"{group}\n")
        self._process.stdin.flush()

    def dismiss(self) -> None:
        """Let it make sure that everything has ended, and end."""
        if self._process and self._process.stdin:
            self._process.stdin.close()
            self._process.wait()
            self._process = None


guardian = _Guardian()


@dataclass(frozen=True)
class Mail:
    """One mail that arrived."""

    to: str
    subject: str
    text: str
    message_id: str


class MailServer:
    """Takes every mail, on a free port, and remembers it."""

    def __init__(self) -> None:
        self.port = free_port()
        self._mails: list[Mail] = []
        self._lock = threading.Lock()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def __enter__(self) -> "MailServer":
        self._controller.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._controller.stop()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep a mail; aiosmtpd calls this."""
        message = message_from_bytes(envelope.content)
        text = next(
            part.get_payload(decode=True)
            for part in message.walk()
            if part.get_content_type() == "text/plain"
        )
        subject = str(make_header(decode_header(message["subject"])))
        with self._lock:
            for address in envelope.rcpt_tos:
                mail = Mail(address, subject, bytes(text).decode(), str(message["Message-ID"]))
                self._mails.append(mail)
        return "250 OK"

    def all(self) -> list[Mail]:
        """What has arrived so far."""
        with self._lock:
            return list(self._mails)

    def to(self, address: str) -> list[Mail]:
        """What has arrived for one address."""
        return [mail for mail in self.all() if mail.to == address]


@contextmanager
def redis_database() -> Iterator[str]:
    """An empty database of the Redis on this machine, emptied again at the end.

    Raises ``StackError`` when there is none.
    """
    for number in range(15, 0, -1):
        url = f"{REDIS_URL}/{number}"
        with redis.Redis.from_url(url) as connection:
            try:
                ours = not connection.dbsize() and connection.set(CLAIM, "1", nx=True, ex=3600)
            except redis.RedisError as error:
                raise StackError(f"No Redis answers on 127.0.0.1:6379: {error}.") from None
            if not ours:
                continue
            try:
                yield url
            finally:
                connection.flushdb()
            return
    raise StackError("The Redis on 127.0.0.1:6379 has no empty database.")


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
