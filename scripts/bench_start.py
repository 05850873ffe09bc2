"""How quickly everything starts, how much memory it takes, and how long the first delivery waits."""

import http.client
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench_figures import Figure
from bench_server import ROOT, SECRET, Server, environment
from standardwebhooks import Webhook

PAGES = ("/", "/pricing", "/login", "/signup")
REQUESTS = 200
ROUNDS = 3  # The best one counts: on a busy machine the others measure the neighbours.


def measure(database: str, url: str, _size: int) -> Iterator[Figure]:
    """Yield the figures for one database."""
    if database == "sqlite":
        seconds = min(_help_seconds(url) for _ in range(ROUNDS))
        yield _seconds(database, "flask --help", seconds, 0.7)
    runs = [_run(url) for _ in range(ROUNDS)]
    yield _seconds(database, "gunicorn: first answer", min(run[0] for run in runs), 1.5)
    yield _seconds(database, "first delivery, right after it", min(run[1] for run in runs), 0.5)
    megabytes = min(run[2] for run in runs)
    name = f"memory of a worker after {REQUESTS} requests"
    yield Figure(database, name, f"{megabytes:.1f} MB", "< 70 MB", megabytes < 70)


def _seconds(database: str, name: str, seconds: float, bound: float) -> Figure:
    return Figure(database, name, f"{seconds:.2f} s", f"< {bound} s", seconds < bound)


def _help_seconds(url: str) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "--help"]
    subprocess.run(command, cwd=ROOT, env=environment(url, 1), check=True, capture_output=True)
    return time.perf_counter() - began


def _run(url: str) -> tuple[float, float, float]:
    """Return the seconds to the first answer, those of the first delivery, and the megabytes."""
    began = time.perf_counter()
    with _starting(url) as server:
        _wait_for_answer(server.port)
        first = time.perf_counter() - began
        began = time.perf_counter()
        deliver(server.port)
        delivered = time.perf_counter() - began
        for number in range(REQUESTS):
            _get(server.port, PAGES[number % len(PAGES)])
        time.sleep(1)  # What a process does after its start is in its memory as well.
        sizes = [_proportional_megabytes(pid) for pid in server.workers()]
        return first, delivered, sum(sizes) / len(sizes)


class _starting(Server):  # noqa: N801 - used like a function
    """A gunicorn that nobody has waited for yet."""

    def __init__(self, url: str) -> None:
        super().__init__("wsgi:app", url)

    def __enter__(self) -> "Server":
        return self


def _wait_for_answer(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            _get(port, "/pricing")
            return
        except (OSError, http.client.HTTPException):
            time.sleep(0.005)
    raise SystemExit("gunicorn did not answer.")


def _get(port: int, path: str) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        answer.read()


def deliver(port: int) -> None:
    """Send one signed delivery, as Polar does."""
    now = datetime.now(UTC)
    customer = {
        "id": "00000000-0000-4000-8000-000000000001", "external_id": None,
        "email": "bench@example.com", "name": None, "metadata": {},
        "created_at": now.isoformat(), "modified_at": now.isoformat(), "deleted_at": None,
    }  # fmt: skip
    event = {"type": "customer.updated", "timestamp": now.isoformat(), "data": customer}
    body, webhook_id = json.dumps(event), f"bench-{time.time_ns()}"
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/webhooks/polar",
        data=body.encode(),
        headers={
            "Content-Type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(_key()).sign(webhook_id, now, body),
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def _key() -> bytes:
    return SECRET.encode()


def _proportional_megabytes(pid: int) -> float:
    """Return the memory of a process, with what it shares divided among those who share it."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    line = next(line for line in text.splitlines() if line.startswith("Pss:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    os.execv(sys.executable, [sys.executable, str(ROOT / "scripts/bench.py"), "--part", "start"])
