"""``make bench``: the webhook door, a storm at it, the start, and the pages. Prints a table.

python scripts/bench.py [--quick] [--only sqlite|postgresql] [--part PART]...   PART: see --help

PostgreSQL is measured when a server answers on this machine; the storm makes its own, to restart it, where
the server's programs are found. Ends with 1 when a bound is not held.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import bench_counts
import bench_door
import bench_lighthouse
import bench_pages
import bench_start
from bench_figures import Figure, show
from bench_server import migrate, postgresql_database, sqlite_database

# Each part with its size: the whole of it, and a tenth to see that it runs.
PARTS: dict[str, tuple[Callable[[str, str, int], Iterator[Figure]], int, int]] = {
    "door": (bench_door.speed, 100, 30),
    "counts": (bench_counts.measure, 1, 1),
    "storm": (bench_door.storm, bench_door.FULL_STORM, 40),
    "start": (bench_start.measure, 1, 1),
    "pages": (bench_pages.measure, 500, 50),
    "lighthouse": (bench_lighthouse.measure, 1, 1),
}
ONCE = {"lighthouse"}  # What a browser sees does not depend on the database.


def main() -> int:
    """Measure everything; returns 1 when a bound is not held."""
    options = _options()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)
    figures: list[Figure] = []
    databases: dict[str, Any] = {"sqlite": sqlite_database, "postgresql": postgresql_database}
    for name, make in databases.items():
        if options.only in {None, name}:
            for part in options.part or PARTS:
                if part in ONCE and name != (options.only or "sqlite"):
                    continue
                figures += _of_database(name, make, part, quick=options.quick)
    show(figures)
    return int(any(figure.is_held is False for figure in figures))


def _of_database(name: str, make: Any, part: str, *, quick: bool) -> Iterator[Figure]:
    measure, full_size, quick_size = PARTS[part]
    database: AbstractContextManager[str | None] = make()
    with database as url:
        if url is None:
            print(f"No {name} answers on this machine, so its {part} is not measured.")
            return
        print(f"{name}: {part} ...", flush=True)
        migrate(url)
        yield from measure(name, url, quick_size if quick else full_size)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the application under gunicorn.")
    parser.add_argument("--quick", action="store_true", help="A tenth of it, to see that it runs.")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--part", action="append", choices=tuple(PARTS), help="May be repeated.")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
