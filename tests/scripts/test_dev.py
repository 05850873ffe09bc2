"""``make dev`` as a new user meets it: in a fresh copy, with nothing set."""

import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.scripts.running import (
    answers,
    clean_environment,
    copy_project,
    free_ports,
    is_free,
    processes_in,
    wait_until,
)

MAKE = [
    "make",
    "dev",
    "SETUP=@true",
    f"RUN={sys.executable}",
]  # This Python has everything already.

pytestmark = pytest.mark.usefixtures("turn")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("dev"))


@contextmanager
def make_dev(project: Path, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    log = project / "log.txt"
    with (
        log.open("w") as output,
        subprocess.Popen(
            MAKE,
            cwd=project,
            env=clean_environment(project, **settings),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        yield process
        for left in processes_in(project):
            os.kill(left, signal.SIGKILL)


def log_of(project: Path) -> str:
    return (project / "log.txt").read_text()


def test_both_start_and_one_ctrl_c_stops_them(project: Path) -> None:
    port, polar_port = free_ports(2)
    with make_dev(project, PORT=str(port), POLAR_EMULATOR_PORT=str(polar_port)) as process:
        assert wait_until(lambda: "Ctrl-C stops" in log_of(project)), log_of(project)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/pricing") as page:
            assert "Pro" in page.read().decode()
        assert answers(f"http://127.0.0.1:{polar_port}/")

        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=10)

    log = log_of(project)
    assert f"Your application   http://127.0.0.1:{port}\n" in log
    assert f"The local Polar    http://127.0.0.1:{polar_port}\n" in log
    assert "Demo account: demo@example.com" in log
    assert "Stopped.\n" in log
    assert "Traceback" not in log
    assert "\033" not in log
    assert wait_until(lambda: not processes_in(project), 5), processes_in(project)
    assert is_free(port)
    assert is_free(polar_port)
    assert stat.S_IMODE((project / ".env").stat().st_mode) == 0o600


def test_when_the_local_polar_dies_the_application_is_stopped(project: Path) -> None:
    port, polar_port = free_ports(2)
    with make_dev(project, PORT=str(port), POLAR_EMULATOR_PORT=str(polar_port)) as process:
        assert wait_until(lambda: "Ctrl-C stops" in log_of(project)), log_of(project)
        polar = [pid for pid, line in processes_in(project).items() if "polar_emulator" in line]
        os.kill(polar[0], signal.SIGKILL)
        assert process.wait(timeout=10) == 2
    assert "'polar' has ended by itself, so everything is stopped.\n" in log_of(project)
    assert wait_until(lambda: not processes_in(project), 5), processes_in(project)
    assert is_free(port)


@pytest.mark.parametrize("name", ["PORT", "POLAR_EMULATOR_PORT"])
def test_a_taken_port_gets_a_sentence(project: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = dict(zip(("PORT", "POLAR_EMULATOR_PORT"), map(str, free_ports(2)), strict=True))
        ports[name] = str(taken.getsockname()[1])
        with make_dev(project, **ports) as process:
            assert process.wait(timeout=20) == 2
    sentence = next(line for line in log_of(project).splitlines() if line.startswith("Port "))
    assert sentence.startswith(f"Port {ports[name]} is not free")
    assert f"{name}=" in sentence
    assert "Traceback" not in log_of(project)


def test_a_file_of_settings_that_is_not_utf_8_gets_a_sentence(tmp_path: Path) -> None:
    project = copy_project(tmp_path)
    (project / ".env").write_bytes("# naïve\n".encode("latin-1"))
    with make_dev(project) as process:
        assert process.wait(timeout=20) == 2
    assert ".env cannot be read (it is not UTF-8)." in log_of(project)
    assert "Traceback" not in log_of(project)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"PORT": "web"}, "PORT is 'web'; it must be a number from 1 to 65535.\n"),
        ({"PORT": "0"}, "PORT is '0'; it must be a number from 1 to 65535.\n"),
        ({"PORT": "8001"}, "PORT and POLAR_EMULATOR_PORT are both 8001: change one.\n"),
    ],
)
def test_a_port_that_cannot_be_gets_a_sentence(
    project: Path, settings: dict[str, str], sentence: str
) -> None:
    with make_dev(project, **settings) as process:
        assert process.wait(timeout=20) == 2
    assert log_of(project).startswith(sentence)


def test_a_failing_step_says_why_and_starts_nothing(project: Path) -> None:
    port, polar_port = free_ports(2)
    ports = {"PORT": str(port), "POLAR_EMULATOR_PORT": str(polar_port)}
    with make_dev(project, DATABASE_URL="sqlite:////nowhere/app.db", **ports) as process:
        assert process.wait(timeout=30) == 2
    assert "'migrate' failed (the reason is above), so nothing was started.\n" in log_of(project)
    assert is_free(port)
    assert is_free(polar_port)
