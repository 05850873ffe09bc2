"""The image, built step by step in a clean folder, then run as compose runs it: no rights, read-only."""

import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deploy.building import Stage, inside
from tests.scripts.running import free_ports, wait_until
from tests.scripts.test_gunicorn import PRODUCTION

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

Image = tuple[Stage, Path]


def test_what_is_in_it(built: Image) -> None:
    stage, _ = built
    inside_app = {path.name for path in (stage.files / "app").iterdir()}
    assert inside_app == {
        *("deploy", "gunicorn.conf.py", "instance", "migrations", "pyproject.toml", "saas"),
        *("static", "templates", "uv.lock", "wsgi.py", "__pycache__"),
    }
    packages = {path.name for path in stage.files.glob("opt/venv/lib/python3*/site-packages/*")}
    assert {"flask", "gunicorn", "sentry_sdk"} <= packages
    assert not {"pytest", "ruff", "mypy", "playwright"} & packages
    assert not (stage.layers[0] / "usr/bin/uv").exists()
    compiled = list((stage.files / "app/saas").rglob("*.pyc"))
    assert len(compiled) == len(list((stage.files / "app/saas").rglob("*.py")))


def test_nothing_can_be_written_by_a_user_without_rights(built: Image) -> None:
    said = ask(built, "sh", "-c", "id -u; touch /app/x /opt/venv/x /etc/x; touch /tmp/x instance/x")
    assert said.stdout == "10001\n", said.stderr
    assert said.stderr.count("Read-only file system") == 3
    assert said.returncode == 0


def test_it_starts_is_healthy_and_stops(built: Image, tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir(mode=0o777)
    volume.chmod(0o777)
    (port,) = free_ports(1)
    settings = PRODUCTION | {"PORT": str(port)}
    assert ask(built, *built[0].check, settings=settings).returncode == 1
    migrated = ask(built, "flask", "db", "upgrade", settings=settings, volume=volume)
    assert migrated.returncode == 0, migrated.stderr
    assert (volume / "app.db").exists()
    with running(built, settings, volume) as process:
        assert wait_until(lambda: ask(built, *built[0].check, settings=settings).returncode == 0)
        assert user_of(process) == 10001
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/pricing", headers={"Host": "app.example.com"}
        )
        with urllib.request.urlopen(request) as page:
            assert page.status == 200
        ready = ask(built, *built[0].check, "/readyz", settings=settings)
        assert ready.returncode == 0, ready.stderr
    assert process.returncode == 0


def test_the_worker_starts_and_stops(built: Image, tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    volume.chmod(0o777)
    settings = PRODUCTION
    migrated = ask(built, "flask", "db", "upgrade", settings=settings, volume=volume)
    assert migrated.returncode == 0, migrated.stderr
    command = [*_in_container(built, settings, volume), "flask", "worker"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("Working, ")
        process.terminate()
        assert process.wait(40) == 0


def ask(
    built: Image,
    *command: str,
    settings: dict[str, str] | None = None,
    volume: Path | None = None,
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        _in_container(built, settings, volume) + list(command),
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def running(
    built: Image, settings: dict[str, str], volume: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    command = _in_container(built, settings, volume) + built[0].command
    with subprocess.Popen(command) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(40)


def user_of(process: "subprocess.Popen[bytes]") -> int:
    pid = process.pid
    while children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        pid = int(children[0])
    return Path(f"/proc/{pid}").stat().st_uid


def _in_container(built: Image, settings: dict[str, str] | None, volume: Path | None) -> list[str]:
    stage, scratch = built
    mounts = [(str(volume), stage.volumes[0])] if volume else []
    return inside(stage, scratch, mounts, read_only=True, settings=settings)
