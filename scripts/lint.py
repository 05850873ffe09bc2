"""``make lint``: every check that needs no test, each shown with its command, then a summary."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCRIPTS = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
FLASK = [PYTHON, "-m", "flask", "--app", "wsgi"]
IMPORT_LINTER = "from importlinter.cli import lint_imports_command as run; run()"

CHECKS = {
    "style": [[PYTHON, "-m", "ruff", "check", "."]],
    "format": [[PYTHON, "-m", "ruff", "format", "--check", "."]],
    "types": [[PYTHON, "-m", "mypy"]],
    "layers": [[PYTHON, "-c", IMPORT_LINTER]],
    "templates": [[PYTHON, "-m", "djlint", "--lint", "--quiet", "templates", "polar_emulator"]],
    "migrations": [
        [*FLASK, "db", "upgrade"],
        [*FLASK, "db", "check"],
        [PYTHON, "scripts/migration_rules.py"],
    ],
    "links": [[PYTHON, "scripts/links.py"]],
    "image": [[str(SCRIPTS / "hadolint"), "--failure-threshold", "style", "Dockerfile"]],
    "compose": [
        [
            str(SCRIPTS / "check-jsonschema"),
            "--builtin-schema",
            "vendor.compose-spec",
            "compose.yaml",
        ]
    ],
}


def main() -> int:
    """Run all checks, whatever the first one says. Returns the number of those that failed."""
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as scratch:
        environment = _environment(Path(scratch))
        failed = [name for name, commands in CHECKS.items() if not _passes(commands, environment)]
    print(f"\nFailed: {', '.join(failed)}." if failed else f"\nAll {len(CHECKS)} checks passed.")
    return len(failed)


def _passes(commands: list[list[str]], environment: dict[str, str]) -> bool:
    started = time.monotonic()
    for command in commands:
        if not Path(command[0]).exists():
            print(f"\nSkipped: there is no {Path(command[0]).name} for this kind of machine.")
            continue
        print(f"\n$ {' '.join(_shown(command))}", flush=True)
        if subprocess.run(command, env=environment, check=False).returncode:
            return False
    print(f"({time.monotonic() - started:.1f} s)")
    return True


def _shown(command: list[str]) -> list[str]:
    if command[0] != PYTHON:
        return [Path(command[0]).name, *command[1:]]
    return command[2:] if command[1] in {"-m", "-c"} else command[1:]


def _environment(scratch: Path) -> dict[str, str]:
    """Return an environment whose database is a new, empty file."""
    return os.environ | {
        "APP_ENV": "development",
        "SECRET_KEY": "only-for-the-checks-of-this-run-0000",
        "DATABASE_URL": f"sqlite:///{scratch}/lint.db",
    }


if __name__ == "__main__":
    sys.exit(main())
