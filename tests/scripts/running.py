"""A copy of the project to start and stop things in, and ways to see what is left of them."""

import os
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.scripts import ROOT

RUNNING_PARTS = ("migrations", "polar_emulator", "saas", "scripts", "static", "templates")
RUNNING_FILES = (".env.example", "Makefile", "gunicorn.conf.py", "pyproject.toml", "wsgi.py")


def copy_project(target: Path) -> Path:
    """Copy what the application needs to run, without any state, and return where it is."""
    for name in RUNNING_PARTS:
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in RUNNING_FILES:
        shutil.copy(ROOT / name, target / name)
    return target


def clean_environment(home: Path, **settings: str) -> dict[str, str]:
    """The environment of a user who has set nothing but ``settings``."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"} | settings


def free_ports(count: int) -> list[int]:
    """Ports that nobody listened on a moment ago."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def is_free(port: int) -> bool:
    """Whether nobody listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def answers(url: str) -> bool:
    """Whether a request gets a page."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 40) -> bool:
    """Wait for a condition; return whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def processes_in(folder: Path) -> dict[int, str]:
    """The processes whose working directory is ``folder``, with their command lines (Linux)."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").resolve() == folder.resolve():
                found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
    return found
