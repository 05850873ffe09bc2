"""Bring the tools and the locked dependencies that a verb of the Makefile needs into ``.venv``.

``python scripts/setup.py GROUP...`` installs the application and the named dependency groups of
``pyproject.toml``. It does nothing, quickly, when they are there already. ``SETUP_WITH=pip`` does
without uv.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from get_uv import ROOT, ToolError, find_uv

VENV = ROOT / ".venv"
STAMP = VENV / ".setup.json"
LOCKED = ("pyproject.toml", "uv.lock", "requirements.txt", "requirements-dev.txt")


def main(groups: list[str]) -> None:
    """Install ``groups`` besides what is installed already, unless the stamp says it is done."""
    digest = _digest()
    installed, is_current = _read_stamp(digest)
    if is_current and installed.issuperset(groups):
        return
    wanted = sorted(installed.union(groups))
    print(f"Setting up .venv (dependencies and: {', '.join(wanted)}) ...", flush=True)
    STAMP.unlink(missing_ok=True)
    uv = None if os.environ.get("SETUP_WITH") == "pip" else find_uv()
    if uv:
        sync(uv, wanted)
    else:
        install_with_pip(wanted)
    STAMP.write_text(json.dumps({"digest": digest, "groups": wanted}))


def sync(uv: str, groups: list[str]) -> None:
    """Let uv install the locked versions, with the Python at hand and never another one."""
    chosen = [argument for group in groups for argument in ("--group", group)]
    command = [uv, "sync", "--locked", "--inexact", "--no-default-groups", *chosen]
    if not sys.stdout.isatty():
        command.append("--quiet")
    if subprocess.run(command, cwd=ROOT, env=uv_environment(), check=False).returncode:
        raise ToolError(
            "uv could not install the locked dependencies (its own words are above). "
            "SETUP_WITH=pip in front of the command uses pip and its settings instead."
        )


def uv_environment() -> dict[str, str]:
    """Return the environment for uv: this Python, this ``.venv``, the system's certificates."""
    environment = {k: v for k, v in os.environ.items() if k not in {"VIRTUAL_ENV", "PYTHONHOME"}}
    environment["UV_PROJECT_ENVIRONMENT"] = str(VENV)
    environment["UV_PYTHON"] = str(VENV / "bin/python") if _venv_fits() else sys.executable
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    # A company's proxy has a certificate of its own. UV_NATIVE_TLS is the name that older uv reads.
    environment.setdefault("UV_SYSTEM_CERTS", "1")
    environment.setdefault("UV_NATIVE_TLS", environment["UV_SYSTEM_CERTS"])
    if not environment.get("HOME"):
        environment.setdefault("UV_CACHE_DIR", str(ROOT / ".tools/cache"))
    return environment


def install_with_pip(groups: list[str]) -> None:
    """Install the same versions with pip, checked by their hashes; any group means all groups."""
    print("Installing with pip, without uv ...", flush=True)
    if not _venv_fits():
        _run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)], "make a .venv")
    exported = "requirements-dev.txt" if groups else "requirements.txt"
    _run([*_pip_for_venv(), "install", "--quiet", "-r", exported], "install the dependencies")


def _pip_for_venv() -> list[str]:
    """Return the pip to use: that of the Python at hand, or one that ``ensurepip`` puts in."""
    for attempt in ([sys.executable, "-m", "pip", "--python", str(VENV)], [_python(), "-m", "pip"]):
        if _succeeds([*attempt, "--version"]):
            return attempt
    _run([_python(), "-m", "ensurepip", "--upgrade"], "find uv or pip, nor make a pip")
    return [_python(), "-m", "pip"]


def _digest() -> str:
    """Return a digest of the files that say what is to be installed."""
    return hashlib.sha256(b"\0".join((ROOT / name).read_bytes() for name in LOCKED)).hexdigest()


def _read_stamp(digest: str) -> tuple[set[str], bool]:
    """Return the groups installed so far, and whether they are those of ``digest``."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return set(), False
    return set(stamp["groups"]), stamp["digest"] == digest and Path(_python()).exists()


def _venv_fits() -> bool:
    """Say whether ``.venv`` has a working Python that suits this project."""
    check = "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))"
    return _succeeds([_python(), "-c", check])


def _python() -> str:
    return str(VENV / "bin/python")


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _run(command: list[str], purpose: str) -> None:
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise ToolError(f"Could not {purpose} (the reason is above).")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ToolError as error:
        sys.exit(str(error))
