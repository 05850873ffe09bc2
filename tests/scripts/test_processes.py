"""Nothing may be left running, however ``make dev`` comes to its end."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scripts import ROOT
from tests.scripts.running import processes_in, wait_until

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.usefixtures("turn"),
]

SCRIPT = f"""
import os, sys
sys.path.insert(0, {str(ROOT / "scripts")!r})
from processes import Crew, StopRequestedError
child = "import subprocess, sys; print('up'); subprocess.run(['sleep', '60'])"
try:
    with Crew(os.environ) as crew:
        crew.start("one", [sys.executable, "-u", "-c", child])
        crew.start("two", [sys.executable, "-u", "-c", child], noise="^up$")
        print(crew.watch(), "ended", flush=True)
except StopRequestedError:
    print("asked", flush=True)
"""

# Who is started in the background is told to ignore Ctrl-C, and hands that on; a person's shell does not.
MAKE_DEV = """
import os, signal
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp("make", ["make", "dev"])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "crew.py").write_text(SCRIPT)
    (tmp_path / "Makefile").write_text(f"dev:\n\t@{sys.executable} crew.py\n")
    return tmp_path


@pytest.fixture
def process(folder: Path) -> "Iterator[subprocess.Popen[str]]":
    with subprocess.Popen(
        [sys.executable, "-c", MAKE_DEV],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert wait_until(lambda: list(processes_in(folder).values()).count("sleep 60 ") == 2, 10)
        yield process
        for left in processes_in(folder):
            os.kill(left, signal.SIGKILL)


def interrupt_group(process: "subprocess.Popen[str]") -> None:
    os.killpg(process.pid, signal.SIGINT)


def interrupt_make(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGINT)


def terminate_make(process: "subprocess.Popen[str]") -> None:
    process.terminate()


def kill_make(process: "subprocess.Popen[str]") -> None:
    process.kill()


@pytest.mark.parametrize("way", [interrupt_group, interrupt_make, terminate_make, kill_make])
def test_asked_to_stop(
    folder: Path,
    process: "subprocess.Popen[str]",
    way: "Callable[[subprocess.Popen[str]], None]",
) -> None:
    way(process)
    assert process.communicate(timeout=10)[0] == "one     | up\nasked\n"
    assert wait_until(lambda: not processes_in(folder), 5), processes_in(folder)


def test_killed_without_a_chance_to_clean_up(
    folder: Path, process: "subprocess.Popen[str]"
) -> None:
    crew = next(pid for pid, line in processes_in(folder).items() if line.endswith("crew.py "))
    os.kill(crew, signal.SIGKILL)
    process.communicate(timeout=10)
    assert wait_until(lambda: not processes_in(folder), 5), processes_in(folder)


def test_one_that_ends_takes_the_other_with_it(
    folder: Path, process: "subprocess.Popen[str]"
) -> None:
    second = [pid for pid, line in processes_in(folder).items() if "import subprocess" in line][-1]
    os.kill(second, signal.SIGKILL)
    assert " ended\n" in process.communicate(timeout=10)[0]
    assert wait_until(lambda: not processes_in(folder), 5), processes_in(folder)
