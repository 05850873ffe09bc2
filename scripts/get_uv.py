"""Find uv, or bring the version of ``scripts/uv.txt`` into ``.tools/``, checked by its hash.

A uv on the PATH is used when it is recent enough. Else pip fetches it (pip knows about proxies and
mirrors), and where there is no pip, this script does. ``None`` means that there is no uv to be had
here, which is no error: pip can install the project, too.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import urllib.request
import zipfile
from pathlib import Path
from urllib.parse import urljoin

ROOT = Path(__file__).resolve().parent.parent
PINNED = ROOT / "scripts/uv.txt"
OLDEST = (0, 8)  # Reads our lock file and knows dependency groups; tried with 0.8.0.
INDEX_SETTINGS = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")


class ToolError(Exception):
    """A tool is missing or failed. The text is one sentence for the user."""


def find_uv() -> str | None:
    """Return the path of a usable uv, fetching it first when necessary."""
    on_path = shutil.which("uv")
    if on_path and _version(on_path) >= OLDEST:
        return on_path
    home = ROOT / ".tools" / f"uv-{pinned_version()}"
    if not (home / "bin/uv").exists():
        print(f"Fetching uv {pinned_version()} into .tools/ ...", flush=True)
        if not _fetch(home):
            return None
    return str(home / "bin/uv")


def pinned_version() -> str:
    """Return the version that ``scripts/uv.txt`` names."""
    found = re.search(r"^uv==(\S+)", PINNED.read_text(), re.MULTILINE)
    if not found:
        raise ToolError("scripts/uv.txt names no version of uv.")
    return found[1]


def _fetch(home: Path) -> bool:
    """Put uv into ``home`` as a whole or not at all; say whether it is there and runs."""
    home.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
        for way in (_with_pip, _with_urllib):
            target = Path(scratch, way.__name__)
            if way(target) and _version(str(target / "bin/uv")) >= OLDEST:
                shutil.rmtree(home, ignore_errors=True)
                target.rename(home)
                return True
    return False


def _with_pip(target: Path) -> bool:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--require-hashes"]
    command += ["--target", str(target), "-r", str(PINNED)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _with_urllib(target: Path) -> bool:
    """Download the wheel for this machine, compare its hash with the pinned ones, unpack uv."""
    index = next(filter(None, map(os.environ.get, INDEX_SETTINGS)), "https://pypi.org/simple")
    page = f"{index.rstrip('/')}/uv/"
    try:
        with urllib.request.urlopen(page, timeout=60) as answer:
            links = re.findall(r'href="([^"#]+)', answer.read().decode())
        wheel = choose_wheel(links, pinned_version(), platform_tag())
        if wheel is None:
            return False
        with urllib.request.urlopen(urljoin(page, wheel), timeout=300) as answer:
            content = answer.read()
    except (OSError, ValueError) as error:
        print(f"uv could not be downloaded: {error}", file=sys.stderr)
        return False
    unpack(content, PINNED.read_text(), target)
    return True


def platform_tag() -> str:
    """Return how the wheels of uv name this machine, for example ``musllinux.*x86_64``."""
    machine = platform.machine().lower()
    if sys.platform == "darwin":
        return f"macosx.*{machine}"
    is_musl = "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or "")
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    return f"{'musllinux' if is_musl else 'manylinux'}.*{machine}"


def choose_wheel(links: list[str], version: str, tag: str) -> str | None:
    """Return the link to the wheel of ``version`` for the platform ``tag``, or ``None``."""
    wheel = re.compile(rf"/uv-{re.escape(version)}-[^/]*{tag}\b[^/]*\.whl$")
    return min(filter(wheel.search, links), default=None)


def unpack(wheel: bytes, pinned: str, target: Path) -> None:
    """Write ``bin/uv`` from the bytes of a wheel; ``ToolError`` when its hash is not pinned."""
    digest = hashlib.sha256(wheel).hexdigest()
    if f"sha256:{digest}" not in pinned:
        raise ToolError(f"The downloaded uv is not the pinned one (its SHA-256 is {digest}).")
    path = target / "bin/uv"
    path.parent.mkdir(parents=True)
    with tempfile.TemporaryFile() as file:
        file.write(wheel)
        with zipfile.ZipFile(file) as archive:
            name = next(n for n in archive.namelist() if n.endswith(".data/scripts/uv"))
            path.write_bytes(archive.read(name))
    path.chmod(0o755)


def _version(uv: str) -> tuple[int, ...]:
    """Return the version of a uv, or ``()`` when it does not run."""
    try:
        said = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return ()
    found = re.match(r"uv (\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found else ()
