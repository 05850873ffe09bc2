"""Stands in for ``docker compose`` in an installation of a test: web and worker are processes, db a cluster.

Copied into the installation as ``bin/docker``, it runs there with the installation's own Python. It takes the
forms that the runbooks use, and no other.
"""

import os
import subprocess
import sys
from pathlib import Path

from dotenv import dotenv_values

UNITS = {"web": ["app.socket", "app"], "worker": ["worker"]}  # No socket outlives a container.
HERE = Path(__file__).resolve().parent


def main(words: list[str]) -> int:
    """Do what docker would, and return its exit status."""
    match words:
        case ["compose", "exec", "-T", "db", *command]:
            return run(command)  # Where the server is, its PG… variables say.
        case ["compose", "run", "--rm", "--no-deps", "-T", "web", *command]:
            return run(in_image(command), settings())
        case ["compose", "up", "--detach", "--no-deps", "--force-recreate", *services]:
            return systemctl("restart", services)
        case ["compose", "up", "--detach"]:
            return run(in_image(["flask", "db", "upgrade"]), settings()) or systemctl(
                "restart", list(UNITS)
            )
        case ["compose", "stop" | "start" as verb, *services]:
            return systemctl(verb, services)
        case ["compose", "build", "--quiet"]:
            return 0
    sys.exit(f"not a form that the runbooks use: docker {' '.join(words)}")


def in_image(command: list[str]) -> list[str]:
    """Return the command with its program where the image has it."""
    program = HERE.parent / ".venv/bin" / command[0]
    return [str(program), *command[1:]] if program.exists() else command


def settings() -> dict[str, str]:
    """What compose takes from .env, and what it sets itself; nothing of the machine but that."""
    from_file = {name: value or "" for name, value in dotenv_values(".env").items()}
    address = {name: os.environ[name] for name in ("PATH", "HOME", "DATABASE_URL")}
    return from_file | address | {"FLASK_APP": "wsgi", "FLASK_SKIP_DOTENV": "1"}


def systemctl(verb: str, services: list[str]) -> int:
    """Start, stop or restart services, as the other stand-in does."""
    return run(["systemctl", verb, *(unit for service in services for unit in UNITS[service])])


def run(command: list[str], environment: dict[str, str] | None = None) -> int:
    """Run a command with the input and output of this one."""
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
