"""``make audit``: known holes in the dependencies, secrets in the files, mistakes in the workflows.

Each check that cannot reach its data says so and is passed over; what it finds fails the run.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
REQUIREMENTS = "requirements-dev.txt"  # All of them, those of the application included.
WORKFLOWS = Path(".github")
# Look-alikes that are none: hashes of packages, recordings of a sandbox that is gone, lists of words.
NO_SECRETS = r"uv\.lock|requirements.*\.txt|tests/.*fixtures/.*|.*/common_passwords\.txt|.*\.svg"
NO_PASSWORDS = r"user:password@|postgresql://app:|https://[a-z]+:[a-z]+@"
# They take every line with the word "password" for one, and every hash for a key of one vendor.
CRIERS = ("KeywordDetector", "IbmCosHmacDetector")
RANDOM = "High Entropy"  # Tests are full of made-up keys; tokens with a known shape are found there, too.
MADE_UP = ("tests/", "scripts/bench", "scripts/stack")
OURS = re.compile(r"(polar_(?:oat|pat|whs|rst)_[A-Za-z0-9]{30,}|whsec_[A-Za-z0-9+/]{30,})")
MARK = "pragma: allowlist secret"
SECONDS = 240


class Unreachable(Exception):
    """A check could not get at what it compares with. The message says what that is."""


def main() -> int:
    """Run the checks. Returns the number of those that found something."""
    os.chdir(ROOT)
    found = 0
    for name, check in CHECKS.items():
        print(f"\n=== {name}", flush=True)
        try:
            lines = list(check())
        except Unreachable as reason:
            print(f"SKIPPED: {reason}")
            continue
        print("\n".join(lines) if lines else "Nothing found.")
        found += bool(lines)
    return found


def dependencies() -> Iterable[str]:
    """Yield a line for each locked version with a known hole, as PyPI lists them."""
    command = ["pip-audit", "--format", "json", "--progress-spinner", "off", "--timeout", "15"]
    done = _run([*command, "--disable-pip", "--require-hashes", "--requirement", REQUIREMENTS])
    try:
        rows = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise Unreachable(f"PyPI's list of known holes ({_last_line(done.stderr)})") from None
    unknown = [row["name"] for row in rows if "skip_reason" in row]
    if len(unknown) == len(rows):
        raise Unreachable("PyPI's list of known holes: it knows none of our packages from here")
    if unknown:
        print(f"Not known to PyPI, so not checked: {', '.join(unknown)}.")
    for row in rows:
        for hole in row.get("vulns", []):
            mended = ", ".join(hole["fix_versions"]) or "no version yet"
            yield f"{row['name']} {row['version']}: {hole['id']}, mended in {mended}"


def secrets() -> Iterable[str]:
    """Yield a line for each thing in the tracked files that looks like a secret."""
    names = _tracked_files()
    without = [argument for name in CRIERS for argument in ("--disable-plugin", name)]
    given = ["--exclude-files", NO_SECRETS, "--exclude-lines", NO_PASSWORDS, *without]
    done = _run(["detect-secrets", "scan", *given, *names])
    hits = {
        (name, hit["line_number"], hit["type"])
        for name, found in json.loads(done.stdout)["results"].items()
        for hit in found
        if not (RANDOM in hit["type"] and name.startswith(MADE_UP))
    }
    for name in (name for name in names if not re.fullmatch(NO_SECRETS, name)):
        for number, line in enumerate(_lines(name), 1):
            if OURS.search(line):
                hits.add((name, number, "Polar token"))
    for name, number, kind in sorted(hits):
        if MARK not in _lines(name)[number - 1]:
            yield f"{name}:{number}: {kind}. If it is none, say so: # {MARK}"


def workflows() -> Iterable[str]:
    """Yield what zizmor has against the workflows, without asking the network."""
    if not WORKFLOWS.is_dir():
        raise Unreachable("there are no workflows here")
    done = _run(["zizmor", "--offline", "--no-progress", "--quiet", str(WORKFLOWS)])
    if done.returncode:
        yield done.stdout.strip() or done.stderr.strip()


CHECKS: dict[str, Callable[[], Iterable[str]]] = {
    "dependencies": dependencies,
    "secrets": secrets,
    "workflows": workflows,
}


def _tracked_files() -> list[str]:
    try:
        listing = subprocess.run(["git", "ls-files", "-z"], capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise Unreachable("git, which knows the files of this project") from None
    names = [name for name in os.fsdecode(listing).split("\0") if name and Path(name).is_file()]
    if not names:
        raise Unreachable("git tracks no file here yet")
    return names


@cache
def _lines(name: str) -> list[str]:
    return Path(name).read_text(encoding="utf-8", errors="replace").splitlines()


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    tool = BIN / command[0]
    if not tool.exists():
        raise Unreachable(f"{command[0]} is not installed")
    try:
        return subprocess.run(
            [str(tool), *command[1:]], capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise Unreachable(f"{command[0]} got no answer in {SECONDS} seconds") from None


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no answer"])[-1][:200]


if __name__ == "__main__":
    sys.exit(main())
