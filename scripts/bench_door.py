"""How fast the webhook door is, and what is left of a storm."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

import bench_chaos
import bench_cluster
from bench_figures import Figure, below
from bench_load import Measured, send_all, signed
from bench_server import SECRET, Server, environment, migrate
from bench_stories import Delivery, purchases
from sqlalchemy import create_engine, text

from saas.config import from_environment

AT_ONCE = 8
FULL_STORM = 625  # Customers with 16 deliveries each: ten thousand.
PEERS = 840  # A second, for the fastest peer on a machine of two cores; the slowest makes 300.
ROUNDS = 3  # Bare route and door in turns, so that a busy machine is no excuse; the median counts.
PATIENCE_SECONDS = 60.0


def speed(name: str, url: str, customers: int) -> Iterator[Figure]:
    """Yield how fast deliveries are taken, beside a bare route."""
    parts = _parts(purchases(customers * (ROUNDS + 1)), ROUNDS + 1)
    with Server("wsgi:app", url) as door, Server("bench_bare:app", url) as bare:
        first = _send(door, "/webhooks/polar", parts[0])
        _wait_until_applied(url)
        rounds = []
        for part in parts[1:]:
            beside = _send(bare, "/bare", part)
            rounds.append((_send(door, "/webhooks/polar", part), beside, _wait_until_applied(url)))
    refused = sum(
        n
        for m in (first, *(r[0] for r in rounds))
        for status, n in m.statuses.items()
        if status != 202
    )
    start = 1000 * max(first.seconds[:AT_ONCE])
    share = median(here.per_second / beside.per_second for here, beside, _ in rounds)
    throughput = median(here.per_second for here, _, _ in rounds)
    yield Figure(name, "median, eight at once", *below(first.percentile(0.5), 50))
    yield Figure(name, "99th percentile, from the start on", *below(first.percentile(0.99), 250))
    yield Figure(name, "the first eight after the start", *below(start, 250))
    yield Figure(name, "throughput", f"{throughput:.0f}/s", f"> {PEERS}/s", throughput > PEERS)
    bare_rate = median(beside.per_second for _, beside, _ in rounds)
    yield Figure(name, "bare route", f"{bare_rate:.0f}/s", "", None)
    yield Figure(name, "share of the bare route", f"{share:.2f}", ">= 0.50", share >= 0.5)
    yield Figure(name, "not answered 202", str(refused), "0", refused == 0)
    late = max(seconds for _, _, seconds in rounds)
    yield Figure(name, f"all of {len(parts[0])} applied", f"{late:.1f} s later", "", None)


def storm(name: str, url: str, customers: int) -> Iterator[Figure]:
    """Yield what a storm with killed workers, and restarts of PostgreSQL where we can, has left."""
    with ExitStack() as stack:
        crash = None
        if name == "postgresql" and not (reason := bench_cluster.why_none()):
            cluster = stack.enter_context(bench_cluster.running_cluster())
            url, crash = cluster.url, cluster.crash
            migrate(url)
        elif name == "postgresql":
            print(f"PostgreSQL cannot be restarted, {reason}: its connections are cut.")
        found = bench_chaos.run(url, customers, crash=crash, hurry=customers < FULL_STORM)
    done = [f"{found.sent} sent", *(f"{count} {what}" for what, count in found.trouble.items())]
    yield Figure(name, "storm", ", ".join(done), "", None)
    yield Figure(name, "deliveries lost", str(found.lost), "0", found.lost == 0)
    yield Figure(name, "left unhandled", str(found.unhandled), "0", found.unhandled == 0)
    yield Figure(name, "counted twice", str(found.twice), "0", found.twice == 0)
    yield Figure(name, "wrong plans", str(found.wrong_plans), "0", found.wrong_plans == 0)


def _parts(deliveries: list[Delivery], count: int) -> list[list[Delivery]]:
    size = len(deliveries) // count
    return [deliveries[place * size : (place + 1) * size] for place in range(count)]


def _send(server: Server, path: str, deliveries: list[Delivery]) -> Measured:
    requests = [signed(delivery, SECRET, path) for delivery in deliveries]
    return send_all(server.port, requests, at_once=AT_ONCE)


def _wait_until_applied(url: str) -> float:
    """Return the seconds until nothing in the inbox is waiting any more."""
    started = time.monotonic()
    engine = create_engine(from_environment(environment(url, 1)).sqlalchemy_url)
    waiting = text("SELECT count(*) FROM webhook_deliveries WHERE handled_at IS NULL")
    while time.monotonic() - started < PATIENCE_SECONDS:
        with engine.connect() as connection:
            if not connection.scalar(waiting):
                break
        time.sleep(0.1)
    engine.dispose()
    return time.monotonic() - started
