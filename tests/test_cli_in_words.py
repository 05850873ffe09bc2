"""A command that finds no database says so in a sentence, whichever command it is."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from saas.config import ROOT
from saas.extensions import db
from tests.database import empty_copy

COMMANDS = (
    ("billing", "status", "ada@example.com"),
    ("users", "staff"),
    ("jobs", "list"),
    ("jobs", "run"),
    ("webhooks", "list"),
    ("worker",),
)
AWAY = "postgresql://app:geheim@127.0.0.1:9/app"  # pragma: allowlist secret
NO_FOLDER = "sqlite:////proc/there-is-none/app.db"


@pytest.mark.parametrize("words", [("db", "upgrade"), *COMMANDS], ids=" ".join)
@pytest.mark.parametrize(
    ("url", "reason"),
    [(AWAY, "Connection refused"), (NO_FOLDER, "unable to open database file")],
    ids=["postgresql", "sqlite"],
)
def test_no_database(
    make_app: Callable[..., Flask], words: tuple[str, ...], url: str, reason: str
) -> None:
    done = make_app(database_url=url, jobs_url="").test_cli_runner().invoke(args=words)
    assert done.exit_code == 1
    (line,) = done.output.splitlines()
    assert line.startswith("Error: The database cannot be used: ")
    assert reason in line
    assert "geheim" not in line


@pytest.fixture(scope="module")
def empty(database_url: str) -> Iterator[str]:
    with empty_copy(database_url) as url:
        yield url


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_tables(make_app: Callable[..., Flask], empty: str, words: tuple[str, ...]) -> None:
    done = make_app(database_url=empty, jobs_url="").test_cli_runner().invoke(args=words)
    assert done.exit_code == 1
    assert (
        done.output == "Error: The database lacks tables of this release. Run: flask db upgrade\n"
    )


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """A limit on the size of files is one that counts for root as well."""
    command = f"ulimit -f 300; exec {sys.executable} -m flask --app wsgi db upgrade"
    environment = {
        "APP_ENV": "development",
        "SECRET_KEY": "for-tests-only-0123456789abcdef0123456789",
        "DATABASE_URL": f"sqlite:///{tmp_path}/app.db",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: The database cannot be used: ")


@pytest.mark.parametrize(
    ("url", "reason"),
    [(AWAY, "Connection refused"), (NO_FOLDER, "unable to open database file")],
    ids=["postgresql", "sqlite"],
)
def test_no_queue_for_a_worker(
    make_app: Callable[..., Flask], clean: None, url: str, reason: str
) -> None:
    done = make_app(jobs_url=url).test_cli_runner().invoke(args=["worker"])
    assert done.exit_code == 1
    (line,) = done.output.splitlines()
    assert line.startswith("Error: The queue cannot be used: ")
    assert reason in line
    assert "webhook-sweeper" not in {thread.name for thread in threading.enumerate()}


def test_a_mistake_of_ours_is_not_hidden(make_app: Callable[..., Flask], clean: None) -> None:
    app = make_app()

    @app.cli.command("mistake")
    def mistake() -> None:
        db.session.execute(text("SELECT * FROM there_is_none"))

    done = app.test_cli_runner().invoke(args=["mistake"])
    assert "there_is_none" in str(done.exception)
