"""A PostgreSQL of the storm's own, to make it crash: the server that answers on this machine is others', too.

Its cluster is made in a temporary folder, listens on a free port of 127.0.0.1, and is gone at the end.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench_server import free_port

# Where the packages of Debian and of PostgreSQL for Red Hat put each version: in nobody's PATH.
VERSIONS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
INSTEAD_OF_ROOT = "postgres"  # PostgreSQL refuses to be run by root.


@dataclass(frozen=True)
class Cluster:
    """A server with the settings that PostgreSQL comes with, ``fsync`` among them."""

    programs: Path
    folder: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        """The address of its database."""
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Make the files and start the server."""
        secret = self.folder / "password"
        secret.write_text(self.password)
        if user := _user():
            os.chown(self.folder, user["user"], user["group"])
        self._run(
            "initdb", "--username=postgres", f"--pwfile={secret}", "--auth=scram-sha-256",
            "--encoding=UTF8", "--no-locale",
        )  # fmt: skip
        with (self.folder / "data/postgresql.conf").open("a") as settings:
            settings.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\n")
            settings.write("unix_socket_directories = ''\n")
        self._control("start")

    def crash(self) -> None:
        """Stop it at once, with nothing tidied up; return when it has recovered and answers again."""
        self._control("restart", "--mode=immediate")

    def stop(self) -> None:
        """End it, if it runs. Nothing in it is wanted any more."""
        self._control("stop", "--mode=immediate", check=False)

    def _control(self, *words: str, check: bool = True) -> None:
        self._run("pg_ctl", "--wait", f"--log={self.folder / 'log'}", *words, check=check)

    def _run(self, program: str, *words: str, check: bool = True) -> None:
        done = subprocess.run(
            [str(self.programs / program), f"--pgdata={self.folder / 'data'}", *words],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,  # Ctrl-C does not reach it half-way.
            **_user(),
        )
        if check and done.returncode:
            raise SystemExit(f"{program} failed.\n{done.stdout}{done.stderr}")


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A new cluster, stopped and removed at the end. Only where ``why_none`` has nothing to say."""
    programs = _programs()
    assert programs
    with tempfile.TemporaryDirectory(prefix="bench-cluster-") as folder:
        cluster = Cluster(programs, Path(folder), free_port(), secrets.token_hex())
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


def why_none() -> str:
    """Return why there can be no cluster on this machine, or nothing."""
    if not _programs():
        return "there are no initdb and pg_ctl"
    try:
        _user()
    except KeyError:
        return f"we are root and there is no user {INSTEAD_OF_ROOT}"
    return ""


def _programs() -> Path | None:
    """Return the folder of the server's programs."""
    folders = [str(folder) for pattern in VERSIONS for folder in sorted(Path("/").glob(pattern))]
    path = os.pathsep.join([os.environ["PATH"], *reversed(folders)])
    found = shutil.which("pg_ctl", path=path)
    return Path(found).resolve().parent if found else None


def _user() -> dict[str, Any]:
    """Return who is to run the programs, for ``subprocess``: we ourselves, unless we are root."""
    if os.geteuid():
        return {}
    known = pwd.getpwnam(INSTEAD_OF_ROOT)
    return {"user": known.pw_uid, "group": known.pw_gid, "extra_groups": []}
