"""What a build gets to see: the files of a folder that .dockerignore lets through."""

import re
import shutil
from pathlib import Path, PurePosixPath


def copy_context(project: Path, target: Path) -> Path:
    """Copy what ``project/.dockerignore`` leaves to ``target`` and return it."""
    rules = read(project / ".dockerignore")
    for path in _walk(project, project, rules):
        name = path.relative_to(project)
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target / name)
    return target


def read(file: Path) -> list[tuple[bool, re.Pattern[str]]]:
    """Return the rules in order: whether one lets through, and what it matches."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    words = [line for line in lines if line and not line.startswith("#")]
    return [(word.startswith("!"), _pattern(word.lstrip("!").strip("/"))) for word in words]


def is_let_through(name: PurePosixPath, rules: list[tuple[bool, re.Pattern[str]]]) -> bool:
    """The last rule wins that matches the file or a folder above it, as in Docker."""
    names = [str(name), *map(str, name.parents)][:-1]
    verdict = True
    for lets_through, pattern in rules:
        if any(pattern.fullmatch(candidate) for candidate in names):
            verdict = lets_through
    return verdict


def _walk(folder: Path, project: Path, rules: list[tuple[bool, re.Pattern[str]]]) -> list[Path]:
    wanted = [pattern.pattern for lets_through, pattern in rules if lets_through]
    found = []
    for path in sorted(folder.iterdir()):
        name = PurePosixPath(path.relative_to(project).as_posix())
        is_on_the_way = any(w.startswith(re.escape(f"{name}/")) for w in wanted)
        if path.is_dir() and (is_on_the_way or is_let_through(name, rules)):
            found += _walk(path, project, rules)
        elif path.is_file() and is_let_through(name, rules):
            found.append(path)
    return found


def _pattern(text: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", text)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts))
