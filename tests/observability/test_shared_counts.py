"""The folder in which a server counts goes with it, killed or not."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from saas.config import ROOT
from saas.observability import shared_counts
from tests.scripts.running import wait_until

# A server and one process that it has forked.
COUNTING = """
import os, signal
from saas.observability import shared_counts
shared_counts.begin()
if os.fork():
    print(os.environ[shared_counts.VARIABLE], flush=True)
signal.pause()
"""


class Server:
    """What counts, and where."""

    def __init__(self, stack: ExitStack) -> None:
        command = [sys.executable, "-c", COUNTING]
        self.process = stack.enter_context(
            subprocess.Popen(
                command, cwd=ROOT, text=True, stdout=subprocess.PIPE, start_new_session=True
            )
        )
        stack.callback(self.kill_all)
        assert self.process.stdout
        self.folder = Path(self.process.stdout.readline().strip())

    def kill_all(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    with ExitStack() as stack:
        yield [Server(stack) for _ in range(3)]


def test_a_killed_server_leaves_its_folder_to_the_next_one(
    servers: list[Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_left_to_the_next_one(server: Server) -> bool:
        monkeypatch.setenv(shared_counts.VARIABLE, "")
        shared_counts.begin()
        shared_counts.end()
        return not server.folder.exists()

    killed, half_killed, running = servers
    killed.kill_all()
    half_killed.process.kill()  # Its other process is at its last request.
    half_killed.process.wait()
    assert wait_until(lambda: is_left_to_the_next_one(killed), 5)
    assert half_killed.folder.is_dir()
    assert running.folder.is_dir()
    half_killed.kill_all()
    assert wait_until(lambda: is_left_to_the_next_one(half_killed), 5)
    assert running.folder.is_dir()
