"""A real browser before a real server: gunicorn, the local Polar with its webhooks, Chromium."""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from polar_emulator import testing as local_polar
from polar_emulator.testing import LocalPolar

ROOT = Path(__file__).parent.parent.parent
ARTEFACTS = ROOT / "artifacts" / "journeys"
START_SECONDS = 20
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Site:
    """The running application and the local Polar beside it."""

    url: str
    polar: LocalPolar
    environment: dict[str, str]

    def flask(self, *arguments: str) -> str:
        """Run a ``flask`` command against the same database and return what it prints."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True
        ).stdout


def chromium_path() -> str | None:
    """Return the browser to drive: CHROMIUM, or one that the distribution installs."""
    names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    return next((path for name in names if name and (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    path = chromium_path()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI must drive a browser, and there is none. Install the package chromium.")
        pytest.skip("no Chromium on this machine; install the package chromium or set CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve the application with gunicorn and its own configuration, in development settings."""
    folder = tmp_path_factory.mktemp("site")
    url, secret = f"http://127.0.0.1:{free_port()}", f"whsec_{secrets.token_hex(24)}"
    with local_polar.start(webhook_url=f"{url}/webhooks/polar", webhook_secret=secret) as polar:
        environment = os.environ | {
            "APP_ENV": "development",
            "SECRET_KEY": secrets.token_hex(32),
            "BASE_URL": url,
            "PORT": url.rpartition(":")[2],
            "DATABASE_URL": f"sqlite:///{folder / 'app.db'}",
            "MAIL_OUTBOX_DIR": str(folder / "outbox"),
            "POLAR_API_URL": polar.url,
            "POLAR_WEBHOOK_SECRET": secret,
            "POLAR_ACCESS_TOKEN": polar.token,
        }
        found = Site(url, polar, environment)
        found.flask("db", "upgrade")
        found.flask("seed")
        log = (folder / "gunicorn.log").open("w+")
        server, worker = (
            subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT,
            )
            for command in (["gunicorn", "wsgi:app"], ["flask", "--app", "wsgi", "worker"])
        )  # fmt: skip
        with closing(log):
            try:
                wait_until_it_answers(f"{url}/healthz", server)
                yield found
            finally:
                for process in (worker, server):
                    process.terminate()
                    process.wait(30)
                log.seek(0)
                words = log.read()
        assert "Traceback" not in words, words


@pytest.fixture
def page(browser: Any, site: Site) -> Iterator[Any]:
    """A fresh browser window; anything the page complains about fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=site.url)
    context.set_default_timeout(15_000)
    complaints: list[str] = []
    window = context.new_page()
    window.on("console", lambda message: _note(complaints, message))
    window.on("pageerror", lambda error: complaints.append(str(error)))
    yield window
    context.close()
    assert complaints == []


@pytest.fixture
def shot(page: Any, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Save a numbered screenshot of the whole page below ``artifacts/journeys``."""
    folder = ARTEFACTS / re.sub(r"\W+", "-", request.node.name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    taken: list[str] = []

    def take(name: str) -> None:
        taken.append(name)
        page.screenshot(path=folder / f"{len(taken):02}-{name}.png", full_page=True)

    return take


def axe_of(page: Any) -> Any:
    """Return what axe finds on a page. Imported late: the ordinary tests run without it."""
    from axe_playwright_python.sync_playwright import Axe

    return Axe().run(page)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_it_answers(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"gunicorn did not answer at {url}")


def _note(complaints: list[str], message: Any) -> None:
    """Errors and warnings of the console, but for the status of a page that is meant to be one."""
    expected = "the server responded with a status of 4"
    if message.type in {"error", "warning"} and expected not in message.text:
        complaints.append(message.text)
