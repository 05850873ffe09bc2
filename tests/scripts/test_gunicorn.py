"""``gunicorn wsgi:app`` with the committed configuration, in production mode."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.scripts.running import (
    answers,
    clean_environment,
    copy_project,
    free_ports,
    processes_in,
    wait_until,
)

COMMAND = [sys.executable, "-m", "gunicorn", "wsgi:app"]
FLASK = [sys.executable, "-m", "flask", "--app", "wsgi"]
# Root reads what it may not, unless this right is taken away.
WITHOUT_RIGHTS = (
    ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"] if os.geteuid() == 0 else []
)
TOKEN = "c7a1e2d3f4b5968790a1b2c3d4e5f607"
PRODUCTION = {
    "APP_ENV": "production",
    "SECRET_KEY": "0123456789abcdef0123456789abcdef0123456789abcdef",
    "BASE_URL": "https://app.example.com",
    "POLAR_ACCESS_TOKEN": "polar_oat_for_this_test_only",
    "POLAR_WEBHOOK_SECRET": "whsec_for_this_test_only_0123456789abcdef",
    "MAIL_SERVER": "localhost",
    "MAIL_FROM": "hello@example.com",
}

pytestmark = pytest.mark.usefixtures("turn")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("gunicorn"))
    (project / "instance").mkdir()
    upgrade = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
    environment = clean_environment(project, **PRODUCTION)
    subprocess.run(upgrade, cwd=project, env=environment, check=True, capture_output=True)
    return project


def test_it_serves_pages_and_static_files_and_stops_gracefully(
    project: Path, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    (project / ".env").write_text("WEB_CONCURRENCY=3\n")
    environment = clean_environment(project, PORT=str(port), TMPDIR=str(tmp_path), **PRODUCTION)
    with (
        (project / "log.txt").open("w") as log,
        subprocess.Popen(COMMAND, cwd=project, env=environment, stderr=log) as process,
    ):
        try:
            assert wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), 30)
            for left in tmp_path.iterdir():  # The system does so after some days.
                shutil.rmtree(left)
            assert wait_until(lambda: len(processes_in(project)) == 4, 5)
            named = {"Host": "app.example.com"}
            mounted = named | {"SCRIPT_NAME": "/elsewhere"}
            for path, status in ("/elsewhere/login", 404), ("/login", 200):
                asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=mounted)
                assert asked_status(asked) == status
            asked = urllib.request.Request(f"http://127.0.0.1:{port}/pricing", headers=named)
            with urllib.request.urlopen(asked) as page:
                style = re.search(r'href="(/static/css/[^"]+)"', page.read().decode())
            assert style
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{style[1]}") as sheet:
                assert "max-age=" in sheet.headers["Cache-Control"]
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert not list(project.rglob("*.ctl"))
    assert wait_until(lambda: not processes_in(project), 5)
    assert "Traceback" not in (project / "log.txt").read_text()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "change-me"),
        ("WEB_THREADS", "two"),
        ("LOG_LEVEL", "verbose"),
        ("PORT", "99999"),
        ("RATE_LIMIT_STORAGE", "redis+cluster://127.0.0.1:9"),
    ],
)
def test_it_refuses_to_start_with_a_bad_setting(project: Path, name: str, value: str) -> None:
    (port,) = free_ports(1)
    environment = clean_environment(project, PORT=str(port), **PRODUCTION) | {name: value}
    done = outcome(COMMAND, project, environment)
    assert done.returncode != 0
    assert name in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("command", [COMMAND, [*FLASK, "check"]])
def test_a_folder_in_the_place_of_the_file_of_settings(project: Path, command: list[str]) -> None:
    """Docker makes one where it is told to mount a file that is not there."""
    (project / ".env").unlink(missing_ok=True)
    (project / ".env").mkdir()
    try:
        done = outcome(command, project, clean_environment(project, **PRODUCTION))
    finally:
        (project / ".env").rmdir()
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("- ")]
    assert ".env is a folder" in line


@pytest.mark.parametrize("command", [COMMAND, [*FLASK, "check"], [*FLASK, "worker"]])
@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [(b"PORT=1\n", 0o000, "cannot be read"), ("# naïve\n".encode("latin-1"), 0o600, "not UTF-8")],
    ids=["not ours", "latin-1"],
)
def test_a_file_of_settings_that_cannot_be_read(
    project: Path, command: list[str], content: bytes, mode: int, reason: str
) -> None:
    (project / ".env").write_bytes(content)
    (project / ".env").chmod(mode)
    # As the units of systemd say: Flask itself would give a traceback.
    environment = clean_environment(project, **PRODUCTION) | {"FLASK_SKIP_DOTENV": "1"}
    try:
        done = outcome([*WITHOUT_RIGHTS, *command], project, environment)
    finally:
        (project / ".env").unlink()
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("- ")]
    assert reason in line
    assert "Traceback" not in done.stdout + done.stderr


def outcome(
    command: list[str], project: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run what is to end by itself."""
    return subprocess.run(
        command,
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def asked_status(request: urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(request) as answer:
            assert b"/elsewhere/" not in answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


PRELOADING = """
import os, socket, sys
opened = []
def audit(name, arguments):
    if name in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        opened.append((name, str(arguments[1:])))
sys.addaudithook(audit)
from wsgi import app
from saas import warming
warming.before_fork(app)
assert "polar.base" in sys.modules and "polar.v2026_10" not in sys.modules
with app.app_context():
    from saas.extensions import db
    assert db.engine.pool.checkedin() == db.engine.pool.checkedout() == 0
print(opened)
"""


def test_nothing_is_opened_before_the_fork(project: Path) -> None:
    environment = clean_environment(project, **PRODUCTION)
    environment |= {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/x", "METRICS_TOKEN": TOKEN}
    environment["JOBS_URL"] = environment["RATE_LIMIT_STORAGE"] = "redis://127.0.0.1:9/0"
    done = subprocess.run(
        [sys.executable, "-c", PRELOADING],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


COLLECTING = """
import gc
from flask import Flask
app = Flask("collecting")
app.get("/")(lambda: f"{gc.isenabled()} {gc.get_freeze_count() > 1000}")
"""


def test_a_worker_tidies_up_only_what_it_makes_itself(project: Path) -> None:
    (port,) = free_ports(1)
    (project / "collecting.py").write_text(COLLECTING)
    environment = clean_environment(project, PORT=str(port), **PRODUCTION)
    command = [*COMMAND[:-1], "collecting:app"]
    with subprocess.Popen(command, cwd=project, env=environment) as process:
        try:
            assert wait_until(lambda: answers(f"http://127.0.0.1:{port}/"), 30)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
                assert answer.read() == b"True True"
        finally:
            process.send_signal(signal.SIGTERM)


def test_numbers_of_all_processes_and_lines_in_json(project: Path, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    environment = clean_environment(project, PORT=str(port), **PRODUCTION)
    environment |= {"METRICS_TOKEN": TOKEN, "ACCESS_LOG": "1", "TMPDIR": str(tmp_path)}
    environment |= {"WEB_CONCURRENCY": "2", "JOBS_URL": "inline"}
    url = f"http://127.0.0.1:{port}"
    with (
        (project / "log.txt").open("w") as log,
        subprocess.Popen(COMMAND, cwd=project, env=environment, stderr=log) as process,
    ):
        try:
            assert wait_until(lambda: answers(f"{url}/healthz"), 30)
            for _ in range(30):
                request = urllib.request.Request(
                    f"{url}/pricing", headers={"Host": "app.example.com"}
                )
                urllib.request.urlopen(request).close()
            asked = urllib.request.Request(
                f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
            )
            with urllib.request.urlopen(asked) as answer:
                numbers = answer.read().decode()
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    counted = 'http_requests_total{endpoint="billing.pricing",method="GET",status="200"} 30.0'
    assert counted in numbers
    assert not list(Path("/dev/shm").glob(f"metrics-{process.pid}-*"))
    assert not list(tmp_path.glob("metrics-*"))
    lines = [json.loads(line) for line in (project / "log.txt").read_text().splitlines()]
    assert sum(line.get("route") == "/pricing" for line in lines) == 30
    assert len({line["request_id"] for line in lines if "route" in line}) >= 30
    assert any(line["logger"] == "gunicorn.error" for line in lines)


def test_processes_that_are_replaced_leave_their_numbers_and_no_files(project: Path) -> None:
    """And so do those of a server that reads its settings again (SIGHUP)."""
    (port,) = free_ports(1)
    environment = clean_environment(project, PORT=str(port), **PRODUCTION)
    environment |= {"METRICS_TOKEN": TOKEN, "WEB_CONCURRENCY": "2", "JOBS_URL": "inline"}
    command = [*COMMAND, "--max-requests", "20", "--max-requests-jitter", "0"]
    url = f"http://127.0.0.1:{port}"
    with (
        (project / "log.txt").open("w") as log,
        subprocess.Popen(command, cwd=project, env=environment, stderr=log) as process,
    ):
        try:
            assert wait_until(lambda: answers(f"{url}/healthz"), 30)
            first = set(processes_in(project))
            for _ in range(100):
                urllib.request.urlopen(f"{url}/healthz").close()
            assert wait_until(lambda: len(processes_in(project)) == 3, 10)
            assert not first >= set(processes_in(project))
            counted = health_checks(url)
            assert counted >= 100
            second = set(processes_in(project)) - {process.pid}
            process.send_signal(signal.SIGHUP)
            assert wait_until(lambda: not second & set(processes_in(project)), 20)
            assert wait_until(lambda: answers(f"{url}/healthz"), 30)
            assert health_checks(url) > counted
            assert wait_until(lambda: counting(process.pid) <= counts_may_be_of(project), 10)
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert not list(Path("/dev/shm").glob(f"metrics-{process.pid}-*"))
    assert "Traceback" not in (project / "log.txt").read_text()


def health_checks(url: str) -> float:
    asked = urllib.request.Request(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(asked) as answer:
        lines = answer.read().decode().splitlines()
    begin = 'http_requests_total{endpoint="pages.health",method="GET",status="200"} '
    return next(float(line.removeprefix(begin)) for line in lines if line.startswith(begin))


def counting(server: int) -> set[str]:
    """Whose files there are: the numbers of processes, or all that ended."""
    (folder,) = Path("/dev/shm").glob(f"metrics-{server}-*")
    return {file.stem.rpartition("_")[2] for file in folder.glob("*.db")}


def counts_may_be_of(project: Path) -> set[str]:
    return {"ended", *map(str, processes_in(project))}
