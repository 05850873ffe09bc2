"""A clean clone of this repository to generate from, and cookiecutter as a user has it."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEWEST = "2.7.1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.template)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository as it would be pushed now: the tracked files, in one commit."""
    target = tmp_path_factory.mktemp("clone") / "starter"
    listing = git(ROOT, "ls-files", "-z", "--stage").split("\0")
    for entry in filter(None, listing):
        stage, name = entry.split("\t", 1)
        if stage.startswith("100") and (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    git(target, "init", "--quiet")
    git(target, "add", "--all")
    git(target, "-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "-qm", "All")
    return target


@pytest.fixture
def cookiecutter(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run a cookiecutter in ``tmp_path`` with an empty home."""

    def run(
        *arguments: str, version: str = NEWEST, answer: str | None = None
    ) -> "subprocess.CompletedProcess[str]":
        program = ROOT / f".tools/cookiecutter-{version}/bin/cookiecutter"
        assert program.exists(), "make test-template brings cookiecutter"
        return subprocess.run(
            [program, *arguments],
            cwd=tmp_path,
            env=environment(tmp_path),
            input=answer,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def generate(
    cookiecutter: Callable[..., "subprocess.CompletedProcess[str]"],
    tmp_path: Path,
    repository: Path,
) -> Callable[..., Path]:
    """Generate a project without questions and return its folder."""

    def run(template: str = str(repository), **answers: str) -> Path:
        given = [f"{name}={value}" for name, value in answers.items()]
        done = cookiecutter(template, "--no-input", *given)
        assert done.returncode == 0, done.stdout + done.stderr
        folder = re.search(r"^Your project is in (.+)/", done.stdout, re.MULTILINE)
        assert folder, done.stdout
        return tmp_path / folder[1]

    return run


def environment(home: Path, **more: str) -> dict[str, str]:
    """A bare environment. What uv has downloaded already is shared, to be quick."""
    cache = os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache/uv")
    path = "/usr/local/bin:/usr/bin:/bin"
    return {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "UV_CACHE_DIR": cache} | more


def git(folder: Path, *arguments: str) -> str:
    """Run git with the settings of nobody and return what it says."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    clean |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    command = ["git", "-c", "safe.directory=*", *arguments]
    return subprocess.run(
        command, cwd=folder, env=clean, capture_output=True, text=True, check=True
    ).stdout
