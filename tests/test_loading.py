"""What a command loads: what is slow and seldom needed is loaded by who needs it."""

import subprocess
import sys

import pytest
from flask import Flask

from saas.config import ROOT

SLOW = ("polar", "httpx", "huey", "alembic", "sentry_sdk", "email_validator", "prometheus_client")


@pytest.mark.parametrize("name", SLOW)
def test_the_application_is_there_without(name: str) -> None:
    program = f"import sys, saas.app; sys.exit({name!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


def test_garbage_is_looked_for_again_once_everything_is_loaded() -> None:
    program = (
        "import gc; from saas.kit.loading import without_garbage_collection\n"
        "with without_garbage_collection(): assert not gc.isenabled()\n"
        "assert gc.isenabled(); gc.disable()\n"
        "with without_garbage_collection(): pass\n"
        "assert not gc.isenabled()"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


def test_nobody_looks_again_through_what_was_loaded() -> None:
    program = (
        "import gc; from saas.kit.loading import without_garbage_collection\n"
        "with without_garbage_collection(): kept = [[] for _ in range(1000)]\n"
        "assert gc.get_freeze_count() > 1000\n"
        "assert not any(each is kept for each in gc.get_objects())"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


def test_the_list_of_commands_says_of_migrations_what_they_say(app: Flask) -> None:
    listed = app.test_cli_runner().invoke(args=["--help"]).output
    assert "db  " in listed
    own = app.test_cli_runner().invoke(args=["db", "--help"]).output
    words = next(line for line in listed.splitlines() if line.strip().startswith("db ")).split(
        " ", 3
    )[-1]
    assert words.strip() in own
    assert "upgrade" in own


def test_migrations_are_reached_as_flask_migrate_does(app: Flask) -> None:
    assert app.extensions["migrate"].db is not None
    assert app.extensions["migrate"].directory.endswith("migrations")
    assert app.test_cli_runner().invoke(args=["db", "heads"]).exit_code == 0
