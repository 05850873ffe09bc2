"""Builds the template folder that cookiecutter wants out of this application.

Cookiecutter runs this in a temporary copy of the repository, before the first question. What goes
into a new project is listed here by name, and is copied as it is: nothing is rendered. Text between
the markers ``[template-only`` and ``template-only]`` is left out, and so is a single line with
``[template-only]``.

Runs under each Python that cookiecutter 2.4 and later run under.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

TEMPLATE = Path("{" + "{cookiecutter.project_slug}" + "}")  # Written so that nothing renders it.

FOLDERS = (
    ".ci",
    ".github",
    "deploy",
    "docs",
    "migrations",
    "polar_emulator",
    "saas",
    "scripts",
    "static",
    "templates",
    "tests",
)
FILES = (
    ".dockerignore",
    ".editorconfig",
    ".env.example",
    ".gitignore",
    ".slugignore",
    "Dockerfile",
    "Makefile",
    "Procfile",
    "compose.yaml",
    "gunicorn.conf.py",
    "pyproject.toml",
    "render.yaml",
    "requirements-dev.txt",
    "requirements.txt",
    "uv.lock",
    "wsgi.py",
)
LEFT_OUT = (
    "docs/decisions",
    "docs/img",
    "scripts/stack_project.py",
    "scripts/template_tools.py",
    "tests/template",
)
NEVER = (".DS_Store", ".env", "__pycache__")
NEVER_ENDINGS = (".db", ".orig", ".pyc", ".rej", ".sqlite", ".sqlite3", ".swp", "~")


def main() -> None:
    """Fill the template folder and make ``cookiecutter.json`` usable."""
    _make_folders_writable()
    for path in sorted(listed_files()):
        target = TEMPLATE / path
        target.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes()
        target.write_bytes(without_template_only(content))
        target.chmod(0o755 if content.startswith(b"#!") else 0o644)  # A zip loses the run bits.
    _rewrite_questions()


def listed_files() -> "list[Path]":
    """Return the files of the lists above; only tracked ones where git can tell."""
    tracked = _tracked_files()
    candidates = [Path(name) for name in FILES]
    candidates += [path for folder in FOLDERS for path in Path(folder).rglob("*")]
    return [
        path
        for path in candidates
        if path.is_file() and _is_wanted(path) and (tracked is None or path.as_posix() in tracked)
    ]


def without_template_only(content: bytes) -> bytes:
    """Return ``content`` without the lines that concern the template alone."""
    if b"template-only" not in content:
        return content
    kept, skipping = [], False
    for line in content.splitlines(keepends=True):
        begins, ends = b"[template-only" in line, b"template-only]" in line
        if not (skipping or begins or ends):
            kept.append(line)
        skipping = (skipping or begins) and not ends
    return b"".join(kept)


def _is_wanted(path: Path) -> bool:
    if any(path.as_posix() == left or Path(left) in path.parents for left in LEFT_OUT):
        return False
    if path.is_symlink() or any(part in NEVER for part in path.parts):
        return False
    return not path.name.endswith(NEVER_ENDINGS)


def _tracked_files() -> "set[str] | None":
    """Return the files that git tracks here, or ``None`` when that cannot be known (a zip)."""
    if not Path(".git").exists():
        return None
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--stage"], env=clean, stdout=subprocess.PIPE, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    entries = [entry.split("\t", 1) for entry in os.fsdecode(listing).split("\0") if entry]
    return {name for stage, name in entries if stage.startswith("100")} or None


def _rewrite_questions() -> None:
    """Replace the extension whose name is a warning (docs/decisions/scaffold.md) by the real one."""
    path = Path("cookiecutter.json")
    questions = json.loads(path.read_text(encoding="utf-8"))
    questions["_extensions"] = ["hooks.scaffold.extension.CheckedAnswers"]
    questions["_copy_without_render"] = ["*"]
    path.unlink()
    path.write_text(json.dumps(questions, indent=2), encoding="utf-8")


def _make_folders_writable() -> None:
    """Let a read-only checkout be a template; cookiecutter has to delete this copy afterwards."""
    for folder, _, _ in os.walk("."):
        os.chmod(folder, os.stat(folder).st_mode | 0o700)  # noqa: PTH101, PTH116


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit("The template could not be put together: {}.".format(error))  # noqa: UP032
