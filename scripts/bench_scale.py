"""``make bench-scale``: do the pages stay quick when the tables are large? PostgreSQL only. Prints a table.

python scripts/bench_scale.py [--quick] [--part staff|sizes]...

``staff`` asks for every staff page among 100,000 users and 1,000,000 deliveries. ``sizes`` compares the
pages of customers among 1,000 and among 1,000,000 users; it needs some 8 GB of disk and a quarter of an
hour. ``--quick`` takes a hundredth of the large sizes. Ends with 1 when a bound is not held.
"""

import argparse
import re
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median

from bench_crowd import STAFF_EMAIL, Crowd, fill
from bench_figures import Figure, show
from bench_load import Connection, Measured
from bench_pages import local_polar, seed
from bench_server import Server, environment, migrate, postgresql_database
from bench_visitor import Browser, ask_many
from sqlalchemy import Engine, create_engine, text

from saas.config import from_environment
from saas.seeds import DEMO_PASSWORD

STAFF = Crowd(100_000, 20_000, 1_000_000)
SMALL = Crowd(1_000, 200, 5_000)
LARGE = Crowd(1_000_000, 200_000, 5_000_000)
STAFF_MILLISECONDS = 200.0
TIMES_AS_LONG = 1.5
TIMES, ROUNDS = 100, 5
STAFF_ROUNDS = 3
PAGES = {"landing": "/", "pricing": "/pricing", "sign-in": "/login", "dashboard": "/dashboard"}
SIGNED_IN = {"dashboard", "pricing of a customer", "billing"}


def main() -> int:
    """Measure what was asked for; returns 1 when a bound is not held."""
    options = _options()
    figures: list[Figure] = []
    for part in options.part or PARTS:
        figures += PARTS[part](options.quick)
    show(figures)
    return int(any(figure.is_held is False for figure in figures))


def measure_staff(quick: bool) -> Iterator[Figure]:
    """Yield how long each staff page takes, one after the other."""
    crowd = _hundredth(STAFF) if quick else STAFF
    with _town(crowd) as (url, engine), local_polar() as polar_url:
        pages = _staff_pages(engine)
        with _server(url, polar_url) as server:
            cookies = _signed_in(server).cookies()
            idle = _ask(server, "/healthz", STAFF_ROUNDS * TIMES, "")
            words = f"{1000 * median(idle.seconds):.1f} ms, 99 %: {idle.percentile(0.99):.1f} ms"
            yield Figure("postgresql", "beside them: /healthz does nothing", words, "", None)
            for name, path in pages.items():
                rounds = [_ask(server, path, TIMES, cookies) for _ in range(STAFF_ROUNDS)]
                yield _staff_figure(name, rounds)


def _staff_figure(name: str, rounds: list[Measured]) -> Figure:
    """Judge by the middle one of the rounds: something else may be going on during one of them."""
    usual = 1000 * median(median(found.seconds) for found in rounds)
    slowest = median(found.percentile(0.99) for found in rounds)
    held = slowest < STAFF_MILLISECONDS and all(f.statuses == {200: TIMES} for f in rounds)
    words = f"{usual:.1f} ms, 99 %: {slowest:.1f} ms"
    return Figure("postgresql", f"staff: {name}", words, "99 % < 200 ms", held)


def compare_sizes(quick: bool) -> Iterator[Figure]:
    """Yield how much longer each page takes in the large database than in the small one, in turns."""
    large = _hundredth(LARGE) if quick else LARGE
    with (
        _town(SMALL) as (small_url, _),
        _town(large) as (large_url, _),
        local_polar() as polar_url,
        _server(small_url, polar_url) as small,
        _server(large_url, polar_url) as big,
    ):
        pair = [(server, _signed_in(server)) for server in (small, big)]
        paths = PAGES | {"pricing of a customer": "/pricing", "billing": "/settings/billing"}
        for name, path in paths.items():
            times = []
            for server, browser in pair * ROUNDS:
                cookies = browser.cookies() if name in SIGNED_IN else ""
                times.append(median(_ask(server, path, TIMES, cookies).seconds))
            yield _ratio(name, times)
        times = [_sign_in_seconds(server) for _ in range(3 * ROUNDS) for server in (small, big)]
        yield _ratio("signing in", times)


def _ratio(name: str, times: list[float]) -> Figure:
    small, large = 1000 * median(times[::2]), 1000 * median(times[1::2])
    words = f"{small:.1f} ms, then {large:.1f} ms ({large / small:.2f})"
    return Figure(
        "postgresql", f"size: {name}", words, f"<= {TIMES_AS_LONG}", large / small <= TIMES_AS_LONG
    )


def _staff_pages(engine: Engine) -> dict[str, str]:
    """Return every page, with the people and things that are hardest to find."""
    with engine.connect() as connection:

        def one(sql: str) -> str:
            return str(connection.scalar(text(sql)))

        user = one(
            "SELECT public_id FROM users u JOIN billing_customers c ON c.user_id = u.id LIMIT 1"
        )
        stranger = one("SELECT public_id FROM users ORDER BY id OFFSET 7 LIMIT 1")
        email = one(f"SELECT email FROM users WHERE public_id = '{user}'")
        customer = one("SELECT polar_id FROM billing_customers ORDER BY polar_id LIMIT 1")
        middle = one("SELECT max(id) / 2 FROM webhook_deliveries")
        failed = one("SELECT min(id) FROM webhook_deliveries WHERE outcome = 'failed'")
    deliveries = "/staff/deliveries"
    return {
        "overview": "/staff",
        "users, newest": "/staff/users",
        "users, deep in the list": "/staff/users?before=500",
        "users, by one letter": "/staff/users?q=a",
        "users, by an address": f"/staff/users?q={urllib.parse.quote(email)}",
        "users, nobody": "/staff/users?q=zzzz",
        "users, by public id": f"/staff/users?q={user}",
        "users, by customer": f"/staff/users?q={customer}",
        "a customer, with Polar asked": f"/staff/users/{user}",
        "a user without a purchase": f"/staff/users/{stranger}",
        "give a plan": f"/staff/users/{user}/comp",
        "deliveries, newest": deliveries,
        "deliveries, deep in the list": f"{deliveries}?before={middle}",
        "deliveries, by type": f"{deliveries}?type=subscription.cycled",
        "deliveries, a type that never came": f"{deliveries}?type=refund.created",
        "deliveries, failed": f"{deliveries}?outcome=failed",
        "deliveries, unknown": f"{deliveries}?outcome=unknown",
        "deliveries, failed of a type": f"{deliveries}?outcome=failed&type=order.paid",
        "deliveries, none of two filters": f"{deliveries}?outcome=ignored&type=order.paid",
        "deliveries, by customer": f"{deliveries}?customer={customer}",
        "deliveries, by address and type": f"{deliveries}?customer={email}&type=order.paid",
        "one delivery": f"{deliveries}/{failed}",
        "audit log": "/staff/log",
        "audit log, by action": "/staff/log?action=comp.given",
        "audit log, nobody": "/staff/log?actor=nobody@example.com",
        "audit log, of a user": f"/staff/log?subject={email}",
    }


def _ask(server: Server, path: str, times: int, cookies: str) -> Measured:
    ask_many(server.port, path, times=12, at_once=2, cookies=cookies)
    return ask_many(server.port, path, times=times, at_once=1, cookies=cookies)


def _signed_in(server: Server) -> Browser:
    browser = Browser(server.port)
    browser.sign_in(STAFF_EMAIL, DEMO_PASSWORD)
    return browser


def _sign_in_seconds(server: Server) -> float:
    """Return how long the answer to the form takes; the rate limit allows five a minute for an account."""
    browser = Browser(server.port)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get("/login"))
    fields = {"email": f"nobody{time.monotonic_ns()}@example.com", "password": "wrong, of course"}
    body = urllib.parse.urlencode(fields | {"csrf_token": token[1] if token else ""})
    request = f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
    request += f"Cookie: {browser.cookies()}\r\nContent-Length: {len(body)}\r\n"
    request += "Content-Type: application/x-www-form-urlencoded\r\n\r\n" + body
    connection = Connection(server.port)
    status, seconds = connection.ask(request.encode())
    connection.close()
    if status != 422:
        raise SystemExit(f"Signing in answered {status}.")
    return seconds


@contextmanager
def _town(crowd: Crowd) -> Iterator[tuple[str, Engine]]:
    """A database with a crowd in it, dropped in the end."""
    with postgresql_database() as url:
        if url is None:
            raise SystemExit("No PostgreSQL answers on this machine.")
        migrate(url)
        seed(url)
        engine = create_engine(from_environment(environment(url, 1)).sqlalchemy_url)
        print(f"Making {crowd} ...", flush=True)
        print(f"({fill(engine, crowd):.0f} s)", flush=True)
        try:
            yield url, engine
        finally:
            engine.dispose()


def _server(url: str, polar_url: str) -> Server:
    """The application with a Polar that answers at once, so that what is measured is ours."""
    return Server(
        "wsgi:app", url, APP_ENV="development", POLAR_API_URL=polar_url, POLAR_ACCESS_TOKEN=""
    )


def _hundredth(crowd: Crowd) -> Crowd:
    return replace(
        crowd,
        users=crowd.users // 100,
        subscriptions=crowd.subscriptions // 100,
        deliveries=crowd.deliveries // 100,
    )


PARTS = {"staff": measure_staff, "sizes": compare_sizes}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the pages among many.")
    parser.add_argument("--quick", action="store_true", help="A hundredth, to see that it runs.")
    parser.add_argument("--part", action="append", choices=("staff", "sizes"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
