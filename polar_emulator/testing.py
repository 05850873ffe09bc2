"""A local Polar for tests: started as a real process on a free port, driven over HTTP.

from polar_emulator import testing

with testing.start(webhook_url=url, webhook_secret=secret) as polar:
    polar.url                       # the address for the SDK's `base_url`
    polar.wait_idle()               # everything due has happened and been delivered
    polar.faults(api="down")        # see docs/local-polar.md
    polar.reset()
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import httpx

READY_PREFIX = "Local Polar listening on "
START_SECONDS = 15.0
STOP_SECONDS = 5.0
TOKEN = "polar_oat_local"  # noqa: S105 - any token of this shape is accepted
ROOT = Path(__file__).resolve().parent.parent


class LocalPolar:
    """A running local Polar. Use as a context manager, or call `stop()`."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.url = url
        self.token = TOKEN
        self._process = process
        self._client = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def __enter__(self) -> LocalPolar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def reset(self) -> None:
        """Back to the demo state: no customers, no faults, the machine's time."""
        self.control("POST", "/reset")

    def wait_idle(self, timeout: float = 10.0) -> None:
        """Return when everything due has happened and been delivered. TimeoutError otherwise."""
        answer = self._client.post("/_emulator/wait-idle", json={"timeout": timeout})
        if answer.status_code == 504:
            raise TimeoutError(f"The local Polar was still busy after {timeout} s.")
        answer.raise_for_status()

    def faults(self, **wanted: Any) -> dict[str, Any]:
        """Set faults by name, as `polar_emulator.faults.Faults` lists them."""
        return self.control("POST", "/faults", wanted)

    def scenario(self, name: str, who: str = "") -> None:
        """Let a scenario happen to somebody, and return when all that it brings has happened."""
        self.control("POST", f"/scenarios/{name}", {"who": who})
        self.wait_idle()

    def requests(self) -> list[dict[str, Any]]:
        """The API requests since the last reset: method, path, query, status."""
        return cast(list[dict[str, Any]], self.control("GET", "/requests")["items"])

    def forget_requests(self) -> None:
        """Empty the log of API requests."""
        self.control("DELETE", "/requests")

    def events(self) -> list[str]:
        """The types of all events since the last reset, in order, delivered or not."""
        return [event["type"] for event in self.control("GET", "/events")["items"]]

    def advance(self, seconds: float | None = None, **step: Any) -> None:
        """Move the clock forward by `seconds`, `days=31` or `months=1`, `until="2027-01-31"`, or `next=True`.

        Everything due on the way happens.
        """
        wanted = step if seconds is None else {"advance_seconds": seconds, **step}
        self.control("POST", "/clock", wanted)

    def complete_checkout(self, client_secret: str, **buyer: Any) -> httpx.Response:
        """Fill in and confirm a checkout: `email`, `name`, `country`, `card`. Returns the answer."""
        given = {"client_secret": client_secret, **buyer}
        return self._client.post("/_emulator/complete-checkout", json=given)

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Any call below /_emulator; raises for a status that is no success."""
        answer = self._client.request(method, f"/_emulator{path}", json=body or {})
        answer.raise_for_status()
        return cast(dict[str, Any], answer.json())

    def stop(self) -> None:
        """End the process."""
        self._client.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()


def start(
    *,
    webhook_url: str = "",
    webhook_secret: str = "",
    webhook_standard: bool = False,
    store: str = ":memory:",
    fast: bool = True,
    port: int = 0,
    arguments: tuple[str, ...] = (),
) -> LocalPolar:
    """Start a local Polar and return when it answers. RuntimeError with its words when it does not."""
    # -P: the folder of the tests is no place to look for modules of ours or of those we need.
    command = [sys.executable, "-P", "-m", "polar_emulator"]
    command += ["--port", str(port), "--store", store]
    command += ["--fast"] if fast else []
    if webhook_url:
        command += ["--webhook-url", webhook_url, "--webhook-secret", webhook_secret]
        command += ["--webhook-standard"] if webhook_standard else []
    process = subprocess.Popen(
        [*command, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *_known_paths()])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with _deadline(process):
        line = process.stdout.readline() if process.stdout else ""
    if not line.startswith(READY_PREFIX):
        process.kill()
        _, complaint = process.communicate()
        raise RuntimeError(f"The local Polar did not start: {complaint.strip() or line.strip()}")
    _drain(process)
    return LocalPolar(process, line.removeprefix(READY_PREFIX).strip())


def _known_paths() -> list[str]:
    return [path for path in (os.environ.get("PYTHONPATH"),) if path]


@contextlib.contextmanager
def _deadline(process: subprocess.Popen[str]) -> Iterator[None]:
    """Kill a process that takes too long to get ready, so that reading from it ends."""
    timer = threading.Timer(START_SECONDS, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _drain(process: subprocess.Popen[str]) -> None:
    """Pass on what the process complains about, and keep its pipe from filling up."""

    def read() -> None:
        with contextlib.suppress(ValueError, OSError):
            for line in process.stderr or ():
                sys.stderr.write(line)

    threading.Thread(target=read, daemon=True).start()
