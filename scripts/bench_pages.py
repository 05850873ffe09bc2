"""How fast the pages are, as a share of a bare Flask application that renders the same finished text.

Both run under gunicorn with the committed configuration and take turns, so that a busy machine slows both.
"""

import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench_figures import Figure, below
from bench_load import Measured
from bench_server import ROOT, Server, environment, free_port
from bench_visitor import Browser, ask_many

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from saas.seeds import DEMO_EMAIL, DEMO_PASSWORD

AT_ONCE = 32
ROUNDS = 24  # Short ones: a machine whose speed changes by the second then slows both alike.
P99_MILLISECONDS = 100.0
START_SECONDS = 20.0


@dataclass(frozen=True)
class Page:
    """A page, and which share of the bare application it has to hold."""

    name: str
    path: str
    share: float
    is_signed_in: bool = False


PAGES = (
    Page("landing", "/", 0.7),
    Page("pricing", "/pricing", 0.7),
    Page("sign-in", "/login", 0.5),
    Page("dashboard", "/dashboard", 0.3, is_signed_in=True),
)


def measure(database: str, url: str, times: int) -> Iterator[Figure]:
    """Yield the figures of every page: share of the bare application, and the 99th percentile."""
    seed(url)
    with tempfile.TemporaryDirectory() as folder, Server("wsgi:app", url) as ours:
        browser = Browser(ours.port)
        browser.sign_in(DEMO_EMAIL, DEMO_PASSWORD)
        for page in PAGES:
            text = _visitor(ours.port, page, browser).get(page.path)
            Path(folder, f"{page.name}.html").write_text(f"{{% raw %}}{text}{{% endraw %}}")
        with Server("bench_finished:app", url, BENCH_PAGES=folder) as bare:
            for page in PAGES:
                cookies = browser.cookies() if page.is_signed_in else ""
                yield from _of_page(database, page, ours.port, bare.port, cookies, times)


def _of_page(
    database: str, page: Page, port: int, bare_port: int, cookies: str, times: int
) -> Iterator[Figure]:
    shares, slowest, refused, rate = [], [], 0, 0.0
    ask_many(port, page.path, times=times // 4, at_once=AT_ONCE, cookies=cookies)
    ask_many(bare_port, f"/{page.name}", times=times // 4, at_once=AT_ONCE)

    def ask_bare() -> Measured:
        return ask_many(bare_port, f"/{page.name}", times=times, at_once=AT_ONCE)

    def ask_ours() -> Measured:
        return ask_many(port, page.path, times=times, at_once=AT_ONCE, cookies=cookies)

    for number in range(ROUNDS):
        if (
            number % 2
        ):  # Who is second gains when the machine becomes faster, and loses when slower.
            here, bare = ask_ours(), ask_bare()
        else:
            bare, here = ask_bare(), ask_ours()
        shares.append(here.per_second / bare.per_second)
        slowest.append(here.percentile(0.99))
        refused += times - here.statuses.get(200, 0)
        rate = here.per_second
    share = median(shares)
    value = f"{share:.2f} ({rate:.0f}/s)"
    yield Figure(
        database,
        f"{page.name}: share of bare Flask",
        value,
        f">= {page.share:.2f}",
        share >= page.share,
    )
    yield Figure(
        database,
        f"{page.name}: 99th percentile, {AT_ONCE} at once",
        *below(median(slowest), P99_MILLISECONDS),
    )
    if refused:
        yield Figure(database, f"{page.name}: not answered 200", str(refused), "0", False)


def _visitor(port: int, page: Page, signed_in: Browser) -> Browser:
    return signed_in if page.is_signed_in else Browser(port)


def seed(url: str) -> None:
    """Fill the catalogue from a local Polar and make the demo account, as ``make dev`` does."""
    with local_polar() as polar_url:
        ours = environment(url, 1) | {"APP_ENV": "development", "POLAR_API_URL": polar_url}
        ours |= {"POLAR_ACCESS_TOKEN": "", "LOG_LEVEL": "ERROR"}
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "seed"]
        subprocess.run(command, cwd=ROOT, env=ours, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def local_polar() -> Iterator[str]:
    """A local Polar of its own, for as long as it is needed."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "polar_emulator", "--port", str(port)]
        command += ["--store", f"{folder}/polar.db"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            _wait_for(address)
            yield address
        finally:
            process.terminate()
            process.wait()


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("The local Polar did not start.")
