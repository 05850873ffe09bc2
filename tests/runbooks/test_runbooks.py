"""Each runbook, followed to the letter, in the situation that it is for."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.runbooks import pages
from tests.runbooks.installation import Installation
from tests.runbooks.pages import blocks
from tests.scripts import ROOT  # Adds the scripts to the path.

import bench_server  # isort: skip
from get_uv import find_uv  # isort: skip

GIT = """
printf '%s\\n' .venv instance backups bin '*.pid' '*.log' '*.up' .tools >> .gitignore
git init --quiet
git config user.name Tester
git config user.email tester@example.com
"""
PUBLISH = f"""{GIT}
git add --all
git commit --quiet -m Begin
git clone --quiet --bare . ../origin.git
git remote add origin ../origin.git
git fetch --quiet origin
git branch --quiet --set-upstream-to="origin/$(git branch --show-current)"
git clone --quiet ../origin.git ../elsewhere
cd ../elsewhere
echo released > new.txt
git add new.txt
git -c user.name=T -c user.email=t@example.com commit --quiet -m Release
git push --quiet
"""

OLDER_KEY = "fedcba98765432100123456789abcdef"
QUERY = "?sslmode=prefer&sslrootcert=/etc/ssl/ca.pem"

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


@contextmanager
def installed(folder: Path, **options: Any) -> Iterator[Installation]:
    here = Installation(folder, **options)
    try:
        if options.get("virtual_environment", True):
            here.begin()
        yield here
    finally:
        here.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("installation")) as here:
        yield here


@pytest.fixture
def here(running: Installation) -> Installation:
    """The one installation of these tests, with a user whom nothing has happened to."""
    running.next_user()
    running.switch_endpoint(True)
    return running


def test_backup_and_restore_of_sqlite(here: Installation) -> None:
    here.pays()
    first, second = blocks("backup-and-restore", "sqlite")
    assert here.run([first]).strip() == "ok"
    buyer = here.environment["EMAIL"]
    here.next_user()
    here.pays()
    here.sh("rm instance/app.db")
    if os.geteuid() == 0:
        os.chown(here.folder / "instance", 12345, -1)
    here.run([second])
    owners = {(here.folder / name).stat().st_uid for name in ("instance", "instance/app.db")}
    assert len(owners) == 1
    before = here.run(blocks("backup-and-restore", "look"))
    assert "Nobody is staff yet." in before
    assert "waiting" in before
    here.run(blocks("backup-and-restore", "start"))
    assert here.plan() == "free"
    here.run(blocks("backup-and-restore", ""))
    assert here.plan() == "pro"
    here.environment["EMAIL"] = buyer
    assert here.plan() == "pro"


def test_no_backup_is_made_of_a_database_that_is_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir()
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    first, _ = blocks("backup-and-restore", "sqlite")
    done = subprocess.run(
        ["sh", "-euc", first.commands], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode
    assert "unable to open database file" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "instance/app.db").exists()


def test_backup_and_restore_of_postgresql(tmp_path: Path) -> None:
    if reason := why_no_postgresql():
        pytest.skip(reason)
    with bench_server.postgresql_database() as url, ExitStack() as stack:
        assert url
        here = stack.enter_context(installed(tmp_path, database_url=url + QUERY))
        here.next_user()
        here.environment["NEW_DATABASE"] = f"{url.rpartition('/')[2]}_restored"
        here.pays()
        try:
            said = here.run(blocks("backup-and-restore", "postgresql", "look", "start"))
            assert re.search(r"users \| subscriptions \n[-+]+\n +10 \| +1 *\n", said)
            assert here.settings()["DATABASE_URL"] == f"{url}_restored{QUERY}"
            assert here.plan() == "pro"
            here.run(blocks("backup-and-restore", ""))
        finally:
            here.sh("systemctl stop app.socket app worker", check=False)
            here.sh(
                f"psql {url} -c 'DROP DATABASE {here.environment['NEW_DATABASE']} WITH (FORCE)'"
            )


def test_changing_the_secret_key(here: Installation) -> None:
    older, before = OLDER_KEY, here.settings()["SECRET_KEY"]
    here.sh("sed -i 's/^SECRET_KEY=/export SECRET_KEY=/' .env")
    here.sh(f"printf '\\nexport SECRET_KEY_FALLBACKS={older}' >> .env")
    here.run(blocks("key-rotation", ""))
    now = here.settings()
    assert now["SECRET_KEY"] != before
    assert now["SECRET_KEY_FALLBACKS"] == f"{before},{older}"
    here.run(blocks("key-rotation", ""))
    assert here.settings()["SECRET_KEY_FALLBACKS"] == f"{now['SECRET_KEY']},{before},{older}"
    here.run(blocks("key-rotation", "later"))
    assert "SECRET_KEY_FALLBACKS" not in here.settings()


def test_changing_the_secret_of_the_endpoint(here: Installation) -> None:
    old = here.settings()["POLAR_WEBHOOK_SECRET"]
    here.api("PATCH", f"/v1/webhooks/endpoints/{here.endpoint()['id']}/secret")
    here.pays()
    assert here.plan() == "free"
    steps = blocks("key-rotation", "webhook")
    here.run(steps[:1])
    new, behind = here.settings()["POLAR_WEBHOOK_SECRET"].split(",")
    assert (new, behind) == (here.endpoint()["secret"], old)
    here.run(steps[1:2])
    here.polar.wait_idle()
    assert here.plan() == "pro"
    here.run(steps[2:])
    assert here.settings()["POLAR_WEBHOOK_SECRET"] == new


def test_changing_the_token(here: Installation) -> None:
    here.run(blocks("key-rotation", "token"))


def test_polar_disabled_my_endpoint(here: Installation) -> None:
    here.pays()
    here.cannot_apply()
    here.next_user()
    here.switch_endpoint(False)
    here.pays()
    assert here.plan() == "free"
    here.run(blocks("polar-disabled-my-endpoint", "fails", ""))
    assert here.endpoint()["enabled"]
    assert here.plan() == "pro"
    assert here.flask("webhooks list --outcome failed") == "There are none.\n"


def test_a_customer_says_they_paid(here: Installation) -> None:
    here.pays()
    here.cannot_apply()
    here.next_user()
    here.switch_endpoint(False)
    here.pays()
    here.switch_endpoint(True)
    assert here.plan() == "free"
    steps = blocks("a-customer-says-they-paid", "")
    here.run(steps[:2])
    assert here.plan() == "pro"
    here.run(steps[2:])
    assert here.flask("webhooks list --outcome failed") == "There are none.\n"


def test_a_release_of_your_own(tmp_path: Path) -> None:
    uv = find_uv()
    if not uv:
        pytest.skip("there is no uv to make a virtual environment with pip")
    with installed(tmp_path, virtual_environment=False) as here:
        here.sh(
            f"""
            {uv} venv --quiet --seed --python {sys.executable} .venv
            {uv} pip install --quiet --python .venv --require-hashes -r requirements.txt
            {PUBLISH}
            """
        )
        here.begin()
        here.run(blocks("upgrade", "server"))
        assert (here.folder / "new.txt").read_text() == "released\n"


def test_the_dependencies(tmp_path: Path) -> None:
    here = Installation(tmp_path)
    try:
        here.sh(f"{GIT}\ngit add --all; git commit --quiet -m Begin")
        before = (here.folder / "uv.lock").read_text()
        reached = here.sh("make lock", check=False)
        if reached.returncode:
            pytest.skip(f"the index of packages cannot be reached: {reached.stderr[-200:]}")
        assert (here.folder / "uv.lock").read_text() == before
        here.run(blocks("upgrade", "home"))
        assert here.sh("git status --porcelain --untracked-files=no").stdout == ""
    finally:
        here.polar.stop()


def test_every_block_of_every_runbook_is_run_by_a_test() -> None:
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for page in pages.pages():
        name = page.stem
        for block in pages.every_block(name):
            if block.word == "starter" and not (ROOT / "hooks").exists():
                continue  # A project has no starter at hand; the starter tests it.
            assert re.search(rf'"{name}",[^)]*"{block.word}"', tests), block


def test_nothing_that_looks_like_a_command_hides_in_another_form() -> None:
    for page in pages.pages():
        text = page.read_text()
        assert text.count("```") == 2 * len(pages.every_block(page.stem)), page
        assert not re.search(r"^    \S", text, re.MULTILINE), page


def why_no_postgresql() -> str:
    if not shutil.which("pg_dump"):
        return "there is no pg_dump"
    with bench_server.postgresql_database() as url:
        if not url:
            return "no PostgreSQL answers"
        probe = ["pg_dump", "--schema-only", url]
        done = subprocess.run(probe, capture_output=True, text=True, check=False)
    return f"pg_dump does not fit the server: {done.stderr}" if done.returncode else ""
