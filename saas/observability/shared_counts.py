"""The files in which the processes of one gunicorn count, each in its own, and how they are added up.

A process that ended has its files added to those of all that ended before it: gunicorn replaces each process
after some thousand requests, and every two files would stay and be read at each question.
"""

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # Where the library looks for the folder.
KINDS = ("counter", "histogram")
ENDED = "ended"  # Stands where the number of the process stands in other names.
# In memory: no disk is waited for, and nobody clears away files that have not changed for ten days.
MEMORY = Path("/dev/shm")  # noqa: S108

# Locked as long as a process of the server lives, since those that it forks have it open as well.
ALIVE = "alive"
_alive: int | None = None


def begin() -> None:
    """Make the folder, unless this process has one: who is only told to read its settings again counts on.

    Those of servers that were killed are removed.
    """
    prefix = f"metrics-{os.getpid()}-"
    present = Path(os.environ.get(VARIABLE, ""))
    if not (present.name.startswith(prefix) and present.is_dir()):
        place = MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
        _clear_away(place)
        os.environ[VARIABLE] = tempfile.mkdtemp(prefix=prefix, dir=place)
        _stay_alive(Path(os.environ[VARIABLE]))


def end() -> None:
    """Remove the folder, if there is one."""
    global _alive
    if folder := os.environ.get(VARIABLE):
        shutil.rmtree(folder, ignore_errors=True)
    if _alive is not None:
        os.close(_alive)
        _alive = None


def _stay_alive(folder: Path) -> None:
    global _alive
    file = folder / f"{ALIVE}.new"
    _alive = os.open(file, os.O_CREAT | os.O_WRONLY, 0o600)
    fcntl.flock(_alive, fcntl.LOCK_SH)
    file.rename(folder / ALIVE)  # Nobody finds it without its lock.


def _clear_away(place: Path) -> None:
    for folder in place.glob("metrics-*-*"):
        with suppress(OSError):  # It is not ours, not ready, or in use.
            if folder.stat().st_uid != os.getuid():
                continue
            with (folder / ALIVE).open() as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)


def collected(folder: str) -> list[Any]:
    """Return what all processes have counted, those that ended as well."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    collector = MultiProcessCollector(CollectorRegistry(), folder)  # type: ignore[no-untyped-call]
    with _locked(Path(folder), fcntl.LOCK_SH):
        return list(collector.collect())  # type: ignore[no-untyped-call]


def process_ended(number: int) -> None:
    """Add the files of a process that has ended to those of all that ended before it. Never raises."""
    if not (folder := os.environ.get(VARIABLE)):
        return
    try:
        with _locked(Path(folder), fcntl.LOCK_EX):
            for kind in KINDS:
                file = Path(folder, f"{kind}_{number}.db")
                if file.exists():
                    _add(file, file.with_name(f"{kind}_{ENDED}.db"))
                    file.unlink()
    except Exception:  # It is called by the process that starts the others, which must not end.
        log.exception("the numbers of process %s stay in its own files", number)


def _add(file: Path, to: Path) -> None:
    from prometheus_client.mmap_dict import MmapedDict

    total = MmapedDict(str(to))  # type: ignore[no-untyped-call]
    try:
        for key, value, moment, _ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]
            before, _ = total.read_value(key)  # type: ignore[no-untyped-call]
            total.write_value(key, before + value, moment)  # type: ignore[no-untyped-call]
    finally:
        total.close()  # type: ignore[no-untyped-call]


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    """Nobody reads between the adding and the removing, which would count everything twice."""
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, how)
        yield
