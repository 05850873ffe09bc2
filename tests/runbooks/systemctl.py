"""Stands in for systemd in an installation of a test: start, stop and restart of its units.

Copied into the installation as ``bin/systemctl``, it runs there with the installation's own Python.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

UNITS = {
    "app": [".venv/bin/gunicorn", "wsgi:app"],
    "worker": [".venv/bin/flask", "--app", "wsgi", "worker"],
}
# While the socket is up a visitor starts the application; here one comes at once.
SOCKET = Path("app.socket.up")
PATIENCE_SECONDS = 40.0


def main(verb: str, units: list[str]) -> None:
    """Do what systemctl does, and wait until it is done."""
    if "app.socket" in units or (verb == "start" and "app" in units):
        SOCKET.unlink(missing_ok=True) if verb == "stop" else SOCKET.touch()
    for unit in [unit for unit in units if unit in UNITS]:
        pid = Path(f"{unit}.pid")
        if verb in {"stop", "restart"} and pid.exists():
            stop(int(pid.read_text()))
            pid.unlink()
        if verb in {"start", "restart"}:
            start(unit)
    if verb == "stop" and "app" in units and SOCKET.exists():
        start("app")


def start(unit: str) -> None:
    """Begin a unit that does not run, and wait until it answers."""
    pid = Path(f"{unit}.pid")
    if pid.exists():
        sys.exit(f"{unit} runs already")
    with Path(f"{unit}.log").open("ab") as log:
        started = subprocess.Popen(
            UNITS[unit], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    pid.write_text(str(started.pid))
    if unit == "app":
        wait_until_healthy()


def stop(pid: int) -> None:
    """End a process in good order, and wait until it has."""
    try:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.05)
    except ProcessLookupError:
        return


def wait_until_healthy() -> None:
    """Return when the application answers."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            urllib.request.urlopen(os.environ["BASE_URL"] + "/healthz", timeout=5).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
