"""A cookiecutter that cannot build the project says so in one sentence, and writes nothing."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Cookiecutter = Callable[..., "subprocess.CompletedProcess[str]"]


def check_sentence(done: "subprocess.CompletedProcess[str]", folder: Path) -> None:
    said = (done.stdout + done.stderr).strip()
    assert done.returncode == 1
    assert "run a current cookiecutter (pip install -U cookiecutter) and accept the hooks" in said
    assert "\n" not in said
    assert [path.name for path in folder.iterdir() if not path.name.startswith(".")] == []


@pytest.mark.parametrize("version", ["2.3.1", "1.7.3"])
def test_too_old(
    cookiecutter: Cookiecutter, repository: Path, tmp_path: Path, version: str
) -> None:
    check_sentence(cookiecutter(str(repository), "--no-input", version=version), tmp_path)


@pytest.mark.parametrize("version", ["2.7.1", "2.4.0"])
def test_hooks_not_accepted(
    cookiecutter: Cookiecutter, repository: Path, tmp_path: Path, version: str
) -> None:
    done = cookiecutter(str(repository), "--no-input", "--accept-hooks", "no", version=version)
    check_sentence(done, tmp_path)


def test_the_oldest_that_works(
    cookiecutter: Cookiecutter, repository: Path, tmp_path: Path
) -> None:
    done = cookiecutter(str(repository), "--no-input", "project_name=Café", version="2.4.0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "cafe/wsgi.py").exists()
