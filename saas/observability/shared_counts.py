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
from contextlib import contextmanager
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # Where the library looks for the folder.
KINDS = ("counter", "histogram")
ENDED = "ended"  # Stands where the number of the process stands in other names.
# In memory: no disk is waited for, and nobody clears away files that have not changed for ten days.
MEMORY = Path("/dev/shm")  # noqa: S108


def begin() -> None:
    """Make the folder, unless this process has one: who is only told to read its settings again counts on."""
    prefix = f"metrics-{os.getpid()}-"
    present = Path(os.environ.get(VARIABLE, ""))
    if not (present.name.startswith(prefix) and present.is_dir()):
        place = MEMORY if os.access(MEMORY, os.W_OK) else None
        os.environ[VARIABLE] = tempfile.mkdtemp(prefix=prefix, dir=place)


def end() -> None:
    """Remove the folder, if there is one."""
    if folder := os.environ.get(VARIABLE):
        shutil.rmtree(folder, ignore_errors=True)


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
