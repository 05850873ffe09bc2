"""What Lighthouse says of landing, pricing and sign-in, in both themes: four marks for each, out of 100.

Lighthouse comes from the npm registry into .tools/, and drives the Chromium of this machine. Without npm
or Chromium it is not run, and the table says so.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench_figures import Figure
from bench_pages import seed
from bench_server import ROOT, Server

VERSION = "lighthouse@12.8.2"  # The last line that runs on Node 20, which distributions ship.
FOLDER = ROOT / ".tools" / "lighthouse"
PAGES = ("/", "/pricing", "/login")
# Blink's own numbers for prefers-color-scheme.
THEMES = {"light": 1, "dark": 0}
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
LOWEST = 98
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run"
    " --disable-background-networking --disable-component-update --disable-sync"
)
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
SECONDS_EACH = 180


def measure(database: str, url: str, _size: int) -> Iterator[Figure]:
    """Yield the lowest mark of each page and theme."""
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)), None)
    missing = [
        name for name, path in (("npm", shutil.which("npm")), ("Chromium", chromium)) if not path
    ]
    if missing or chromium is None or not _install():
        reason = f"no {' and no '.join(missing)} here" if missing else "npm could not install it"
        yield Figure(database, "Lighthouse", f"not measured: {reason}", f">= {LOWEST}", None)
        return
    seed(url)
    with Server("wsgi:app", url) as server:
        for path in PAGES:
            for theme in THEMES:
                marks = _marks(chromium, f"http://127.0.0.1:{server.port}{path}", theme)
                words = " ".join(str(mark) for mark in marks.values())
                yield Figure(
                    database,
                    f"Lighthouse {path}, {theme}: four marks",
                    words,
                    f">= {LOWEST} each",
                    min(marks.values()) >= LOWEST,
                )


def _install() -> bool:
    """Install Lighthouse, unless it is there. Returns whether it is."""
    if not _program().exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        command = [
            "npm",
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(FOLDER),
            VERSION,
        ]
        subprocess.run(command, check=False)
    return _program().exists()


def _program() -> Path:
    return FOLDER / "node_modules" / ".bin" / "lighthouse"


def _marks(chromium: str, address: str, theme: str) -> dict[str, int]:
    """Return the marks of one run. Raises ``SystemExit`` when Lighthouse fails or the theme was another."""
    flags = f"{FLAGS} --blink-settings=preferredColorScheme={THEMES[theme]}"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "report.json")
        command = [str(_program()), address, "--quiet", f"--chrome-flags={flags}", "--output=json",
                   f"--output-path={out}", f"--only-categories={','.join(CATEGORIES)}"]  # fmt: skip
        environment = os.environ | {"CHROME_PATH": chromium}
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS_EACH,
            check=False,
        )
        if not out.exists():
            raise SystemExit(f"Lighthouse failed: {done.stderr[-500:]}")
        report: dict[str, Any] = json.loads(out.read_text())
        if keep := os.environ.get("LIGHTHOUSE_REPORTS"):
            name = address.rpartition("/")[2] or "home"
            shutil.copy(out, Path(keep, f"{name}-{theme}.json"))
    return {name: round(100 * report["categories"][name]["score"]) for name in CATEGORIES}
