"""The figures of the local Polar against their bounds: start, requests, a month, renewals, scenarios.

Prints a table and ends with 1 when a bound is not held. `--quick` takes a tenth of the renewals.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from polar_emulator import jobs, testing
from polar_emulator.app import create_app
from polar_emulator.catalogue import stable_id
from polar_emulator.handlers import HANDLERS
from polar_emulator.rules import checkouts, confirmation, customers
from polar_emulator.settings import Settings
from polar_emulator.testing import LocalPolar
from polar_emulator.world import World

CUSTOMERS = 10_000
SUBSCRIPTIONS = 1_000
REQUESTS = 40
STARTS = 3
ROOT = Path(__file__).resolve().parent.parent
ADDRESS = {"country": "US", **dict.fromkeys(("line1", "line2", "postal_code", "city", "state"))}
PRO = stable_id("product", "Pro Monthly")


@dataclass(frozen=True)
class Figure:
    """Something measured, in seconds, with the bound it has to keep."""

    name: str
    seconds: float
    bound: float

    @property
    def held(self) -> bool:
        """Whether it is within its bound."""
        return self.seconds < self.bound


def main() -> int:
    """Measure everything and print it."""
    subscriptions = SUBSCRIPTIONS // 10 if "--quick" in sys.argv[1:] else SUBSCRIPTIONS
    with tempfile.TemporaryDirectory() as folder:
        figures = [
            *full_store(str(Path(folder) / "full.db")),
            a_month(str(Path(folder) / "month.db")),
            *renewals(str(Path(folder) / "renewing.db"), subscriptions),
            scenarios(),
        ]
    print(f"{'figure':52} {'measured':>10} {'bound':>10}  held")
    for figure in figures:
        held = "yes" if figure.held else "NO"
        print(f"{figure.name:52} {words(figure.seconds):>10} {words(figure.bound):>10}  {held}")
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores:
        print(
            f"This machine is busy (load {load:.1f} on {cores} cores): measure again when it is not."
        )
    return 0 if all(figure.held for figure in figures) else 1


def full_store(path: str) -> list[Figure]:
    """The start and the requests, with 10,000 customers in the store."""
    prepare(path, add_customers)
    ready = statistics.median(start(path) for _ in range(STARTS))
    with testing.start(store=path) as polar:
        return [
            Figure(f"ready, {CUSTOMERS:,} customers in the store", ready, 1.5),
            *[
                Figure(f"{name}, median of {REQUESTS}", taken, 0.010)
                for name, taken in requests(polar)
            ],
        ]


def start(path: str) -> float:
    """The time from nothing to the first answer."""
    started = time.perf_counter()
    with testing.start(store=path) as polar:
        httpx.get(f"{polar.url}/_emulator/clock").raise_for_status()
        return time.perf_counter() - started


def requests(polar: LocalPolar) -> list[tuple[str, float]]:
    """The median of the usual requests."""
    headers = {"Authorization": f"Bearer {polar.token}"}
    checkout = {"products": [PRO], "external_customer_id": "user_5000"}
    with httpx.Client(base_url=polar.url, headers=headers) as client:
        calls: dict[str, Callable[[int], httpx.Response]] = {
            "list customers": lambda _: client.get("/v1/customers/?limit=10"),
            "find a customer by e-mail": lambda n: client.get(
                f"/v1/customers/?email=user_{n}@example.com"
            ),
            "customer by external id": lambda n: client.get(f"/v1/customers/external/user_{n}"),
            "state of a customer": lambda n: client.get(f"/v1/customers/external/user_{n}/state"),
            "create a customer": lambda n: client.post(
                "/v1/customers/", json={"email": f"new_{n}@example.com"}
            ),
            "create a checkout": lambda _: client.post("/v1/checkouts/", json=checkout),
            "list products": lambda _: client.get("/v1/products/"),
        }
        return [(name, median(call)) for name, call in calls.items()]


def median(call: Callable[[int], httpx.Response]) -> float:
    """The median time of a call."""
    taken = []
    for number in range(REQUESTS):
        started = time.perf_counter()
        call(number).raise_for_status()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def a_month(path: str) -> Figure:
    """A month of one subscription, renewal included, at the pace that Polar has."""
    prepare(path, lambda world: add_subscriptions(world, 1))
    with testing.start(store=path, fast=False) as polar:
        started = time.perf_counter()
        polar.advance(months=1)
        polar.wait_idle()
        taken = time.perf_counter() - started
        lost = 0 if polar.events().count("order.paid") == 2 else float("inf")
    return Figure("a month of a subscription, renewal included", taken + lost, 1.0)


def scenarios() -> Figure:
    """All tests of scenarios, the recorded ones too."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "tests/polar_emulator", "-k", "scenario", "-q"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lost = 0 if done.returncode == 0 else float("inf")
    counted = done.stdout.strip().splitlines()[-1:] or ["no tests"]
    name = f"scenario suite, {counted[0].partition(' in ')[0].partition(',')[0]}"
    return Figure(name, time.perf_counter() - started + lost, 60.0)


def renewals(path: str, count: int) -> list[Figure]:
    """Subscriptions that renew in one step of the clock, until the last delivery has arrived."""
    prepare(path, lambda world: add_subscriptions(world, count))
    arrived, url, server = receiver()
    with testing.start(store=path, fast=False, webhook_url=url, webhook_secret="whsec_x") as polar:
        before = len(polar.events())
        started = time.perf_counter()
        with httpx.Client(base_url=polar.url, timeout=300) as client:
            client.post("/_emulator/clock", json={"months": 1}).raise_for_status()
            client.post("/_emulator/wait-idle", json={"timeout": 300}).raise_for_status()
        taken = time.perf_counter() - started
        events = len(polar.events()) - before
    server.shutdown()
    name = f"{count:,} renewals, {len(arrived):,} deliveries of {events:,}"
    lost = float("inf") if len(arrived) != events else 0
    return [Figure(name, taken + lost, 20.0 * count / SUBSCRIPTIONS)]


def prepare(path: str, fill: Callable[[World], None]) -> None:
    """A store with something in it, made without HTTP."""
    world = World(Settings(store=path, public_url="http://127.0.0.1:1", fast=True))
    create_app(world)
    with world.store.transaction():
        fill(world)
    world.store.close()


def add_customers(world: World) -> None:
    """Ten thousand of them."""
    for number in range(CUSTOMERS):
        name = f"user_{number}"
        customers.add(world, {"email": f"{name}@example.com", "external_id": name})
    for job in world.store.find("job"):
        world.store.remove("job", job["id"])


def add_subscriptions(world: World, count: int) -> None:
    """Subscriptions that have been paid for once and renew within the same minute."""
    buyer = {"customer_name": "Jane Doe", "customer_billing_address": ADDRESS}
    for number in range(count):
        wanted = {"products": [PRO], "customer_email": f"user_{number}@example.com"}
        doc = checkouts.create(world, wanted)
        confirmation.confirm(world, doc, {**buyer, "confirmation_token_id": "ctoken_pays"})
    jobs.settle(world, HANDLERS)


def receiver() -> tuple[list[float], str, ThreadingHTTPServer]:
    """A quick receiver: when each delivery arrived, its address, and the server."""
    arrived: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            arrived.append(time.perf_counter())
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return arrived, f"http://127.0.0.1:{server.server_port}/", server


def words(seconds: float) -> str:
    """A time as people read it."""
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds:.2f} s" if seconds < 1e6 else "failed"


if __name__ == "__main__":
    sys.exit(main())
