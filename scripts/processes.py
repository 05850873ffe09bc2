"""Run several processes with one log, and stop all of them when one ends or we are asked to."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

PATIENCE_SECONDS = 5  # What a process gets to end by itself before it is killed.
COLOURS = {"app": 32, "polar": 35, "worker": 34}  # green, magenta, blue; the rest is cyan
ANSI = re.compile("\033\\[[0-9;]*m")
GUARDIAN = """
import os, signal, sys
groups = [int(line) for line in sys.stdin]
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""


class StopRequestedError(Exception):
    """Somebody pressed Ctrl-C, closed the terminal or sent SIGTERM."""


class Parent:
    """The process that started us, which is make.

    A make that is interrupted alone, and not with its whole group as by a terminal, waits for us
    and says nothing. What shows is that it no longer handles SIGINT; Linux tells.
    """

    def __init__(self) -> None:
        self._id = os.getppid()
        self._handled_interrupts = self._handles_interrupts()

    def check(self) -> None:
        """Raise ``StopRequestedError`` when the parent is gone or was interrupted."""
        if os.getppid() != self._id:
            raise StopRequestedError
        if self._handled_interrupts and not self._handles_interrupts():
            raise StopRequestedError

    def _handles_interrupts(self) -> bool:
        try:
            status = Path(f"/proc/{self._id}/status").read_text()
        except OSError:
            return False
        caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", status, re.MULTILINE)
        return bool(caught and int(caught[1], 16) >> (signal.SIGINT - 1) & 1)


class Crew:
    """The processes we look after. A context manager: leaving it leaves nothing running.

    Each process has a group of its own, so that what it starts (the reloader of Flask does) goes
    with it, and Ctrl-C reaches us only, who then stop them in order. A guardian process kills the
    groups should this process be killed itself.
    """

    def __init__(self, environment: Mapping[str, str], width: int = 8) -> None:
        self.last_line: dict[str, str] = {}
        self._environment = dict(environment)
        self._width = width
        self._members: dict[str, subprocess.Popen[str]] = {}
        self._readers: list[threading.Thread] = []
        self._parent = Parent()
        self._guardian = subprocess.Popen(
            [sys.executable, "-c", GUARDIAN],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> "Crew":
        """Turn signals into ``StopRequestedError`` from now on."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self._stop()

    def start(self, name: str, command: list[str], noise: str = "^$") -> None:
        """Start a process whose lines appear in the log under ``name``, without ``noise``."""
        process = subprocess.Popen(
            command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._tell_guardian(process.pid)
        reader = threading.Thread(target=self._copy, args=(name, process, noise), daemon=True)
        self._members[name] = process
        self._readers.append(reader)
        reader.start()

    def run(self, name: str, command: list[str]) -> int:
        """Run a process to its end and return its exit status."""
        self.start(name, command)
        status = self._members[name].wait()
        self._readers[-1].join(timeout=1)
        del self._members[name]
        return status

    def ended(self) -> str | None:
        """Return the name of a process that has ended, if any."""
        return next((n for n, p in self._members.items() if p.poll() is not None), None)

    def watch(self) -> str:
        """Wait until one of the processes ends, and return its name."""
        while not (name := self.ended()):
            time.sleep(0.2)
            self._parent.check()
        return name

    def _stop(self) -> None:
        for process in reversed(self._members.values()):
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_SECONDS
        for process in self._members.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        for process in self._members.values():
            _signal_group(process, signal.SIGKILL)
            process.wait()
        for reader in self._readers:
            reader.join(timeout=1)
        if self._guardian.stdin:
            self._guardian.stdin.close()
        self._guardian.wait()

    def _tell_guardian(self, group: int) -> None:
        if self._guardian.stdin:
            self._guardian.stdin.write(f"{group}\n")
            self._guardian.stdin.flush()

    def _copy(self, name: str, process: "subprocess.Popen[str]", noise: str) -> None:
        label = f"{name:<{self._width}}|"
        if is_coloured():
            label = f"\033[{COLOURS.get(name, 36)}m{label}\033[0m"
        for line in process.stdout or ():
            plain = ANSI.sub("", line.rstrip("\n"))
            if not re.search(noise, plain):
                self.last_line[name] = plain
                print(label, line.rstrip("\n") if is_coloured() else plain, flush=True)


def is_coloured() -> bool:
    """Say whether the log may have colours: a terminal, and no ``NO_COLOR``."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _signal_group(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _on_signal(_number: int, _frame: FrameType | None) -> None:
    raise StopRequestedError
