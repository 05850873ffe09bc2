"""The lists for pip say what the lock says."""

import re
import tomllib
from typing import Any

import pytest

from tests.scripts import ROOT

LOCK: list[dict[str, Any]] = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))[
    "package"
]
PROJECT = next(package for package in LOCK if package["source"] == {"virtual": "."})
PINNED = re.compile(r"^([a-z0-9-]+)==([^ ;]+)", re.MULTILINE)


def closure(wanted: list[dict[str, Any]]) -> set[str]:
    """The names of all packages that ``wanted`` leads to, whatever the platform."""
    names: set[str] = set()
    while wanted:
        dependency = wanted.pop()
        for package in LOCK:
            if package["name"] == dependency["name"]:
                wanted += [d for d in package.get("dependencies", []) if d["name"] not in names]
                extras = package.get("optional-dependencies", {})
                wanted += [d for e in dependency.get("extra", []) for d in extras[e]]
        names.add(dependency["name"])
    return names


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_versions_and_hashes_are_those_of_the_lock(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    locked = {(package["name"], package["version"]) for package in LOCK}
    hashes = set(
        re.findall(r'hash = "(sha256:\w+)"', (ROOT / "uv.lock").read_text(encoding="utf-8"))
    )
    assert set(PINNED.findall(text)) <= locked
    assert set(re.findall(r"--hash=(\S+)", text)) <= hashes
    assert "://" not in text


def test_everything_that_is_needed_is_listed() -> None:
    runtime = closure(list(PROJECT["dependencies"]))
    groups = [d for group in PROJECT["dev-dependencies"].values() for d in group]
    for name, expected in (
        ("requirements.txt", runtime),
        ("requirements-dev.txt", runtime | closure(groups)),
    ):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert {found for found, _ in PINNED.findall(text)} == expected


def test_pyproject_and_lock_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert PROJECT["name"] == project["project"]["name"]
    assert set(PROJECT["dev-dependencies"]) == set(project["dependency-groups"])
