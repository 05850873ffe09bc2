"""A database that a later release has migrated, and the numbers by which that is known."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from saas.config import ROOT, Settings
from saas.extensions import db
from saas.kit.migrating import are_newer, next_number
from tests.deploy.starting import migrations
from tests.monitoring.test_readiness import set_version


@pytest.fixture
def at(make_app: Callable[..., Flask]) -> Iterator[Callable[[str], Flask]]:
    """Say of the database that it is at a revision; afterwards it is what it was."""
    app = make_app()
    with app.app_context():
        newest = db.session.scalar(text("SELECT version_num FROM alembic_version"))
        db.session.rollback()

    def say(revision: str) -> Flask:
        with app.app_context():
            set_version(revision)
        return app

    yield say
    say(newest)


def version(app: Flask) -> str:
    with app.app_context():
        found = str(db.session.scalar(text("SELECT version_num FROM alembic_version")))
        db.session.rollback()
        return found


def db_command(app: Flask, *words: str) -> "subprocess.CompletedProcess[str]":
    return run(app, "flask", "--app", "wsgi", "db", *words)


def run(app: Flask, program: str, *words: str) -> "subprocess.CompletedProcess[str]":
    assert program.rpartition("/")[2] == "flask"
    return python(app, "-m", "flask", *words)


def python(app: Flask, *words: str) -> "subprocess.CompletedProcess[str]":
    settings: Settings = app.extensions["settings"]
    environment = {"APP_ENV": "development", "DATABASE_URL": settings.database_url}
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment | {"SECRET_KEY": settings.secret_key, "FLASK_APP": "wsgi"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("file", migrations())
def test_a_start_on_a_database_of_a_later_release(at: Callable[[str], Flask], file: str) -> None:
    app = at("9999")
    done = run(app, *migrations()[file])
    assert done.returncode == 0, done.stderr
    assert "A later release has migrated the database to 9999" in done.stdout
    assert version(app) == "9999"


@pytest.mark.parametrize("revision", ["0000", "ab12cd34ef56", "99zz"])
def test_an_unknown_revision_that_is_not_later_is_an_error(
    at: Callable[[str], Flask], revision: str
) -> None:
    done = db_command(at(revision), "upgrade")
    assert done.returncode == 1
    assert f"Can't locate revision identified by '{revision}'" in done.stderr


@pytest.mark.parametrize("words", [("downgrade",), ("upgrade", "9998"), ("stamp", "head")])
def test_anything_else_one_wants_of_it_is_an_error(
    at: Callable[[str], Flask], words: tuple[str, ...]
) -> None:
    app = at("9999")
    done = db_command(app, *words)
    assert done.returncode == 1
    assert "Can't locate revision" in done.stderr
    assert version(app) == "9999"


@pytest.mark.parametrize(
    ("found", "heads", "newer"),
    [
        (["0071"], ["0070"], True),
        (["10000"], ["9999"], True),
        (["0070"], ["0070"], False),
        (["0069"], ["0070"], False),
        (["0069", "0071"], ["0070"], False),
        (["ae10"], ["0070"], False),
        (["0071"], ["ae10"], False),
        ([], ["0070"], False),
    ],
)
def test_the_number_decides(found: list[str], heads: list[str], newer: bool) -> None:
    assert are_newer(found, heads) is newer


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The migrations, for a test to add some."""
    folder = tmp_path / "migrations"
    shutil.copytree(ROOT / "migrations", folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def number_after(folder: Path) -> str:
    return next_number([path.name[:4] for path in (folder / "versions").glob("*.py")])


def test_a_new_migration_gets_the_next_number(app: Flask, copied: Path) -> None:
    number = number_after(copied)
    done = db_command(app, "revision", "--directory", str(copied), "-m", "add teams")
    assert done.returncode == 0, done.stderr
    assert (copied / f"versions/{number}_add_teams.py").exists()
    chosen = ("revision", "--directory", str(copied), "--rev-id", "4711", "-m", "chosen")
    assert db_command(app, *chosen).returncode == 0
    assert (copied / "versions/4711_chosen.py").exists()


def test_an_id_by_chance_is_no_number_even_of_digits_only(app: Flask, copied: Path) -> None:
    """One in three hundred of those that Alembic draws."""
    number = number_after(copied)
    arguments = ["db", "revision", "--directory", str(copied), "-m", "add teams"]
    by_chance = (
        "import sys, alembic.util; from flask.cli import main; "
        "alembic.util.rev_id = lambda: '522128098841'; main()"
    )
    done = python(app, "-c", by_chance, *arguments)
    assert done.returncode == 0, done.stderr
    assert (copied / f"versions/{number}_add_teams.py").exists()


def test_the_first_migration_has_a_number() -> None:
    assert next_number([]) == "0001"
