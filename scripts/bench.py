"""``make bench``: how fast the webhook door is, and what is left of a storm. Prints a table.

python scripts/bench.py [--quick] [--only sqlite|postgresql]

PostgreSQL is measured when a server answers on this machine. Ends with 1 when a bound is not held.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import bench_chaos
from bench_load import Measured, send_all, signed
from bench_server import SECRET, Server, migrate, postgresql_database, sqlite_database
from bench_stories import Delivery, purchases

AT_ONCE = 8
FULL_STORM = 625  # Customers with 16 deliveries each: ten thousand.
ROUNDS = 2  # The bare route before and after the door, so that a busy machine is no excuse.


@dataclass(frozen=True)
class Figure:
    """One line of the table. ``is_held`` is None for what is told and not judged."""

    database: str
    name: str
    value: str
    bound: str
    is_held: bool | None


def main() -> int:
    """Measure everything; returns 1 when a bound is not held."""
    options = _options()
    customers = 40 if options.quick else 125
    storm = 40 if options.quick else FULL_STORM
    figures: list[Figure] = []
    databases: dict[str, Any] = {"sqlite": sqlite_database, "postgresql": postgresql_database}
    for name, make in databases.items():
        if options.only in {None, name}:
            figures += _of_database(name, make, customers, storm)
    _print(figures)
    return int(any(figure.is_held is False for figure in figures))


def _of_database(name: str, make: Any, customers: int, storm: int) -> Iterator[Figure]:
    for measure, size in ((_speed, customers), (_storm, storm)):
        database: AbstractContextManager[str | None] = make()
        with database as url:
            if url is None:
                print(f"No {name} answers on this machine, so it is not measured.")
                return
            print(
                f"{name}: {measure.__name__.strip('_')} with {size * 16} deliveries ...", flush=True
            )
            migrate(url)
            yield from measure(name, url, size)


def _speed(name: str, url: str, customers: int) -> Iterator[Figure]:
    deliveries = purchases(customers * 2)
    half = len(deliveries) // 2
    before = _bare(url, deliveries[:half])
    with Server("wsgi:app", url) as server:
        first = _door(server, deliveries[:half])
        steady = _door(server, deliveries[half:])
        drained = _drain(server)
    after = _bare(url, deliveries[:half])
    bare = (before.per_second + after.per_second) / ROUNDS
    refused = sum(n for m in (first, steady) for status, n in m.statuses.items() if status != 202)
    start = 1000 * max(first.seconds[:AT_ONCE])
    share = steady.per_second / bare
    yield Figure(name, "median, eight at once", *_below(first.percentile(0.5), 50))
    yield Figure(name, "99th percentile, from the start on", *_below(first.percentile(0.99), 250))
    yield Figure(name, "the first eight after the start", *_below(start, 250))
    yield Figure(name, "throughput", f"{steady.per_second:.0f}/s", "> 840/s (peers)", None)
    yield Figure(name, "bare route", f"{bare:.0f}/s", "", None)
    yield Figure(name, "share of the bare route", f"{share:.2f}", ">= 0.50", share >= 0.5)
    yield Figure(name, "not answered 202", str(refused), "0", refused == 0)
    yield Figure(name, "all applied after", f"{drained:.1f} s", "", None)


def _storm(name: str, url: str, customers: int) -> Iterator[Figure]:
    found = bench_chaos.run(url, customers, hurry=customers < FULL_STORM)
    trouble = f"{found.sent} sent, {found.kills} kills, {found.cuts} cuts"
    yield Figure(name, "storm", trouble, "", None)
    yield Figure(name, "deliveries lost", str(found.lost), "0", found.lost == 0)
    yield Figure(name, "left unhandled", str(found.unhandled), "0", found.unhandled == 0)
    yield Figure(name, "counted twice", str(found.twice), "0", found.twice == 0)
    yield Figure(name, "wrong plans", str(found.wrong_plans), "0", found.wrong_plans == 0)


def _bare(url: str, deliveries: list[Delivery]) -> Measured:
    with Server("bench_bare:app", url) as server:
        requests = [signed(delivery, SECRET, "/bare") for delivery in deliveries]
        return send_all(server.port, requests, at_once=AT_ONCE)


def _door(server: Server, deliveries: list[Delivery]) -> Measured:
    requests = [signed(delivery, SECRET, "/webhooks/polar") for delivery in deliveries]
    return send_all(server.port, requests, at_once=AT_ONCE)


def _drain(server: Server) -> float:
    """Stop in good order: the workers end when everything they answered for is applied."""
    started = time.monotonic()
    server.stop()
    return time.monotonic() - started


def _below(milliseconds: float, bound: float) -> tuple[str, str, bool]:
    return f"{milliseconds:.1f} ms", f"< {bound:.0f} ms", milliseconds < bound


def _print(figures: list[Figure]) -> None:
    print(f"\n{'database':12}{'figure':36}{'measured':34}{'bound':18}held")
    for figure in figures:
        held = {True: "yes", False: "NO", None: ""}[figure.is_held]
        print(f"{figure.database:12}{figure.name:36}{figure.value:34}{figure.bound:18}{held}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the webhook door.")
    parser.add_argument("--quick", action="store_true", help="A tenth of it, to see that it runs.")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
