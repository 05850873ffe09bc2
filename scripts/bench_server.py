"""Databases and gunicorns for the benchmark: made for one run, stopped and dropped at the end of it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECRET = "whsec_" + "for-this-benchmark-only-0123456789abcdef"
START_SECONDS = 40.0


@contextmanager
def sqlite_database() -> Iterator[str]:
    """A SQLite file beside the project's own, so that it lies on the same disk."""
    (ROOT / "instance").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "instance") as folder:
        yield f"sqlite:///{folder}/bench.db"


@contextmanager
def postgresql_database() -> Iterator[str | None]:
    """A PostgreSQL database of its own, or ``None`` when no server answers on this machine."""
    helper = [sys.executable, str(ROOT / ".ci/database.py")]
    made = subprocess.run(helper, capture_output=True, text=True, check=False)
    url = made.stdout.strip()
    if made.returncode or not url:
        yield None
        return
    try:
        yield url
    finally:
        subprocess.run([*helper, "--drop"], env=os.environ | {"TEST_DATABASE_URL": url}, check=True)


def environment(database_url: str, port: int) -> dict[str, str]:
    """The settings of production, with payments that go nowhere."""
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "APP_ENV": "production",
        "SECRET_KEY": "0123456789abcdef0123456789abcdef0123456789abcdef",
        "BASE_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": database_url,
        "POLAR_ACCESS_TOKEN": "polar_oat_for_this_benchmark_only",
        "POLAR_WEBHOOK_SECRET": SECRET,
        "MAIL_BACKEND": "locmem",
        "MAIL_FROM": "hello@example.com",
        "LOG_LEVEL": "CRITICAL",
        "PORT": str(port),
    }


def migrate(database_url: str) -> None:
    """Bring a new database to the newest version."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
    subprocess.run(
        command, cwd=ROOT, env=environment(database_url, 1), check=True, capture_output=True
    )


class Server:
    """One gunicorn with the committed configuration."""

    def __init__(self, application: str, database_url: str, **more: str) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--pythonpath", "scripts", application],
            cwd=ROOT, env=environment(database_url, self.port) | more,
        )  # fmt: skip

    def __enter__(self) -> "Server":
        """Return when somebody listens; no request has been made yet."""
        deadline = time.monotonic() + START_SECONDS
        while len(self.workers()) < 2 or not self._listens():
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.stop()
                raise SystemExit("gunicorn did not start.")
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it in good order, if it still runs."""
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = entry.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[1] == str(self.process.pid) and fields[0] != "Z":
                found.append(int(entry.parent.name))
        return found

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
