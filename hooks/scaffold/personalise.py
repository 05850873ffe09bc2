"""Writes the answers into a new project, its secrets into ``.env``, and the first commit."""

import datetime
import os
import re
import runpy
import shlex
import shutil
import subprocess
import textwrap
from collections.abc import Mapping
from pathlib import Path
from string import Template

from hooks.scaffold.answers import normal

HERE = Path(__file__).resolve().parent
TAGLINE = "Up and running in minutes."  # Fits most products until theirs is written.


def main(answers: Mapping[str, str], project: Path = Path()) -> None:
    """Make the copy in ``project`` the project that ``answers`` describe."""
    write_brand(project, answers)
    write_metadata(project, answers)
    write_readme(project, answers)
    write_licence(project, answers)
    runpy.run_path(str(project / "scripts/env_file.py"))["ensure"](project)
    committed = first_commit(project, answers)
    print(goodbye(_seen_from_the_shell(project), committed))


def write_brand(project: Path, answers: Mapping[str, str]) -> None:
    """Set the constants of ``saas/brand.py``."""
    path = project / "saas/brand.py"
    text = path.read_text(encoding="utf-8")
    values = {
        "NAME": answers["project_name"],
        "TAGLINE": TAGLINE,
        "DESCRIPTION": answers["description"],
        "AUTHOR": answers["author_name"],
        "EMAIL": answers["email"],
        "DOMAIN": answers["domain_name"],
    }
    for name, value in values.items():
        line = assignment(name, value.strip(), _line_length(project))
        text = _replace_once(rf"^{name} = .*$", line, text)
    _write(path, text)


def assignment(name: str, value: str, longest: int) -> str:
    """Return a line of Python (more when it is long) as ruff formats it."""
    line = f"{name} = {quoted(value)}"
    if len(line) <= longest:
        return line
    parts = textwrap.wrap(value, longest // 2, drop_whitespace=False, break_on_hyphens=False)
    return "\n".join([f"{name} = (", *(f"    {quoted(part)}" for part in parts), ")"])


def quoted(value: str) -> str:
    """Return a Python string literal: in double quotes unless single ones need fewer escapes."""
    quote = "'" if value.count('"') > value.count("'") else '"'
    return quote + value.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote


def write_metadata(project: Path, answers: Mapping[str, str]) -> None:
    """Set name, description and author in ``pyproject.toml``, and the name in ``uv.lock``."""
    path = project / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    old = re.search(r'^\[project\]\nname = "(.+)"$', text, re.MULTILINE)[1]
    new = normal(answers["project_slug"])
    author = f"{{ name = {_toml(answers['author_name'])}, email = {_toml(answers['email'])} }}"
    description = f"description = {_toml(answers['description'])}\nauthors = [{author}]"
    text = _replace_once(rf'^name = "{old}"$', f'name = "{new}"', text)
    text = _replace_once(r'^description = ".*"$', description, text)
    _write(path, text)
    lock = project / "uv.lock"
    renamed = _replace_once(
        rf'^name = "{re.escape(old)}"$', f'name = "{new}"', lock.read_text(encoding="utf-8")
    )
    _write(lock, renamed)


def write_readme(project: Path, answers: Mapping[str, str]) -> None:
    """Write the README from the one that is kept for projects."""
    text = (HERE / "README.project.md").read_text(encoding="utf-8")
    names = {name: markdown(value) for name, value in answers.items() if isinstance(value, str)}
    _write(project / "README.md", Template(text).substitute(names))


def markdown(value: str) -> str:
    """Return ``value`` so that Markdown shows it as it is."""
    return re.sub(r"([\\`*_\[\]<>#|&~])", r"\\\1", value.strip())


def write_licence(project: Path, answers: Mapping[str, str]) -> None:
    """Write the licence that was chosen, with this year and the author."""
    text = (HERE / f"licences/{answers['open_source_license']}.txt").read_text(encoding="utf-8")
    year = str(datetime.date.today().year)  # noqa: DTZ011 - the year where the author is
    filled = text.replace("<year>", year).replace("<author>", answers["author_name"].strip())
    _write(project / "LICENSE", filled)


def first_commit(project: Path, answers: Mapping[str, str]) -> bool:
    """Put the project under git, when git is there; say whether there is a commit now."""
    if shutil.which("git") is None or (project / ".git").exists():
        return False
    git = _Git(project, answers)
    return (
        git.succeeds("init", "--quiet")
        and git.succeeds("symbolic-ref", "HEAD", "refs/heads/main")
        and git.succeeds("add", "--all")
        and git.succeeds("commit", "--quiet", "--no-verify", "-m", "Begin")
    )


def goodbye(folder: str, committed: bool) -> str:
    """Return what the user reads last."""
    lines = ["", f"Your project is in {folder}/" + (", with a first commit." if committed else ".")]
    lines += ["Go on with:", "", f"    cd {shlex.quote(folder)}", "    make dev", ""]
    return "\n".join(lines)


class _Git:
    """Runs git for a project without depending on, or touching, the settings of its user."""

    def __init__(self, project: Path, answers: Mapping[str, str]) -> None:
        self.project = project
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        self.options = ["-c", "commit.gpgSign=false", "-c", "core.autocrlf=false"]
        for name, value in (("user.name", "author_name"), ("user.email", "email")):
            if not self.succeeds("config", name):
                self.options += ["-c", f"{name}={answers[value].strip()}"]

    def succeeds(self, *arguments: str) -> bool:
        """Run a git command silently and say whether it worked."""
        command = ["git", *self.options, *arguments]
        done = subprocess.run(
            command, cwd=self.project, env=self.environment, capture_output=True, check=False
        )
        return done.returncode == 0


def _seen_from_the_shell(project: Path) -> str:
    """Return how to get to the project from where the user is, as far as the shell tells."""
    here = project.resolve()
    path = os.path.relpath(here, os.environ.get("PWD") or here.parent)
    return str(here) if path.startswith("..") else path


def _line_length(project: Path) -> int:
    text = (project / "pyproject.toml").read_text(encoding="utf-8")
    return int(re.search(r"^line-length = (\d+)$", text, re.MULTILINE)[1])


def _toml(value: str) -> str:
    """Return a basic string of TOML. Answers have no control characters."""
    return '"' + value.strip().replace("\\", "\\\\").replace('"', '\\"') + '"'


def _replace_once(pattern: str, replacement: str, text: str) -> str:
    """Replace the only match of ``pattern``; anything but one match is a bug in the starter."""
    changed, count = re.subn(pattern, lambda _: replacement, text, flags=re.MULTILINE)
    if count != 1:
        raise ValueError(f"{pattern!r} was found {count} times instead of once.")
    return changed


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))
