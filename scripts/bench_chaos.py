"""Deliveries in disorder while workers are killed and PostgreSQL restarts: what must be right afterwards."""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from bench_load import send_all, signed
from bench_server import SECRET, Server, environment
from bench_stories import external_id, purchases
from flask import Flask
from sqlalchemy import Select, func, select, update

from saas.accounts.models import User
from saas.app import create_app
from saas.billing import entitlements
from saas.billing.models import Order, Subscription
from saas.config import from_environment
from saas.extensions import db, start_write
from saas.kit.datetimes import utcnow
from saas.webhooks import sweeper
from saas.webhooks.models import Delivery as Row

KILL_EVERY_SECONDS = 1.0
CUT_EVERY_SECONDS = 1.5
FIRST_RESTART_SECONDS = 0.2  # A small storm is over in half a second.
RESTART_EVERY_SECONDS = 4.0  # And a second or two for the recovery, in which nothing is taken.
SETTLE_SECONDS = 150.0  # What a killed worker left behind is taken up after one minute.
AT_ONCE = 8


@dataclass(frozen=True)
class Aftermath:
    """What was found when everything had calmed down."""

    sent: int
    trouble: dict[str, int]
    lost: int
    unhandled: int
    twice: int
    wrong_plans: int

    @property
    def is_right(self) -> bool:
        """True when nothing is lost, nothing counts twice, and every plan is right."""
        return not (self.lost or self.unhandled or self.twice or self.wrong_plans)


def run(
    database_url: str,
    customers: int,
    *,
    crash: Callable[[], None] | None = None,
    hurry: bool = False,
    seed: int = 1,
) -> Aftermath:
    """Send each delivery up to three times in random order, with trouble in the middle.

    ``crash`` restarts PostgreSQL; without it connections are cut. What a killed worker leaves behind is
    taken up after a minute; with ``hurry`` we say a minute has passed.
    """
    deliveries = purchases(customers)
    app = create_app(from_environment(environment(database_url, 1)))
    chance = random.Random(seed)
    storm = [d for d in deliveries for _ in range(chance.randint(1, 3))]
    chance.shuffle(storm)
    with app.app_context():
        _make_users(customers)
        db.engine.dispose()
    with Server("wsgi:app", database_url) as server:
        trouble = Trouble(server, database_url, crash)
        with trouble:
            requests = [signed(delivery, SECRET, "/webhooks/polar") for delivery in storm]
            send_all(server.port, requests, at_once=AT_ONCE, stubborn=True)
        with app.app_context():
            unhandled = _settle(app, hurry)
    with app.app_context():
        found = Aftermath(
            sent=len(storm),
            trouble=trouble.done,
            lost=len({d.webhook_id for d in deliveries}) - (db.session.scalar(_count(Row)) or 0),
            unhandled=unhandled,
            twice=_doubled(customers),
            wrong_plans=_wrong_plans(),
        )
        db.session.remove()
        db.engine.dispose()
    app.extensions["jobs"].close()
    return found


class Trouble:
    """Kills workers, and restarts PostgreSQL or cuts its connections. ``done`` counts it."""

    def __init__(self, server: Server, database_url: str, crash: Callable[[], None] | None) -> None:
        self.server, self.url = server, database_url
        self.done = {"kills": 0}
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._kill)]
        if crash:
            self.done["restarts"] = 0
            self._threads.append(threading.Thread(target=self._restart, args=(crash,)))
        elif database_url.startswith("postgres"):
            self.done["cuts"] = 0
            self._threads.append(threading.Thread(target=self._cut))

    def __enter__(self) -> "Trouble":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _kill(self) -> None:
        while not self._over.wait(KILL_EVERY_SECONDS):
            workers = self.server.workers()
            if len(workers) < 2:
                continue  # gunicorn is still replacing the last one.
            try:
                os.kill(random.choice(workers), signal.SIGKILL)
                self.done["kills"] += 1
            except ProcessLookupError:
                continue

    def _restart(self, crash: Callable[[], None]) -> None:
        pause = FIRST_RESTART_SECONDS
        while not self._over.wait(pause):
            crash()
            self.done["restarts"] += 1
            pause = RESTART_EVERY_SECONDS

    def _cut(self) -> None:
        cut = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        while not self._over.wait(CUT_EVERY_SECONDS):
            with psycopg.connect(self.url, autocommit=True) as connection:
                row = connection.execute(cut).fetchone()
                self.done["cuts"] += row[0] if row else 0


def _make_users(customers: int) -> None:
    for number in range(customers):
        key = external_id(number)
        user = User(public_id=key, email=f"{key}@example.com", password_hash="!")
        user.email_confirmed_at = utcnow()
        db.session.add(user)
    db.session.commit()


def _settle(app: Flask, hurry: bool) -> int:
    """Wait until everything is handled; returns how many deliveries still are not."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        if hurry:
            _let_a_minute_pass()
            sweeper.sweep(app)
        left = db.session.scalar(_count(Row).where(Row.handled_at.is_(None))) or 0
        db.session.rollback()
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.5)


def _let_a_minute_pass() -> None:
    start_write()
    earlier = utcnow() - timedelta(minutes=2)
    changes = {"received_at": earlier, "next_attempt_at": None, "outcome": "received"}
    db.session.execute(update(Row).where(Row.handled_at.is_(None)).values(changes))
    db.session.commit()


def _doubled(customers: int) -> int:
    """Each customer bought once: one subscription, one order, whatever was repeated."""
    rows = [db.session.scalar(_count(model)) or 0 for model in (Subscription, Order)]
    return sum(abs(count - customers) for count in rows)


def _wrong_plans() -> int:
    users = db.session.scalars(select(User)).all()
    plans = [entitlements.for_user(user) for user in users]
    return sum((found.plan.key, found.status) != ("pro", "active") for found in plans)


def _count(model: type) -> Select[tuple[int]]:
    return select(func.count()).select_from(model)
