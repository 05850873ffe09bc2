"""A project takes over what the starter has learned since, as the runbook says."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.runbooks.pages import blocks
from tests.template.conftest import NEWEST, ROOT, environment, git

ME = ("-c", "user.name=Test", "-c", "user.email=test@example.com")


def test_what_the_starter_has_learned_since(
    generate: Callable[..., Path], repository: Path, tmp_path: Path
) -> None:
    project = generate()
    change(project, "saas/brand.py", "Our own words.")
    change(repository, "wsgi.py", "Learned since.")
    try:
        (block,) = blocks("upgrade", "starter")
        shim = tmp_path / "bin/uvx"
        shim.parent.mkdir()
        program = ROOT / f".tools/cookiecutter-{NEWEST}/bin/cookiecutter"
        shim.write_text(f'#!/bin/sh\nshift\nexec {program} --no-input "$@"\n')
        shim.chmod(0o755)
        surroundings = environment(tmp_path, STARTER=str(repository))
        surroundings["PATH"] = f"{shim.parent}:{surroundings['PATH']}"
        for name in ("AUTHOR", "COMMITTER"):
            surroundings |= {f"GIT_{name}_NAME": "T", f"GIT_{name}_EMAIL": "t@example.com"}
        done = subprocess.run(
            ["sh", "-euc", block.commands], cwd=project, env=surroundings,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        git(repository, "reset", "--hard", "--quiet", "HEAD~1")
    assert "Our own words." in (project / "saas/brand.py").read_text()
    assert "Learned since." in (project / "wsgi.py").read_text()
    assert git(project, "status", "--porcelain") == ""


def change(repository: Path, name: str, words: str) -> None:
    path = repository / name
    path.write_text(f"{path.read_text()}# {words}\n")
    git(repository, *ME, "commit", "--all", "--quiet", "-m", words)
