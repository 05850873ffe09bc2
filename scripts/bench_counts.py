"""What a page costs the database and Polar: counted on the running application, with a customer who pays."""

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from bench_figures import Figure
from bench_server import SECRET, environment
from bench_stories import Delivery, external_id, purchases
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from standardwebhooks import Webhook

PASSWORD = "a password of the benchmark"
PAGE, PRICING = "/dashboard", "/pricing"


def measure(database: str, url: str, _size: int) -> Iterator[Figure]:
    """Yield what a page costs, opened by somebody whose purchase came in by webhooks."""
    with _polar() as (address, calls):
        app = _application(url, address)
        client = _customer(app)
        page = _queries(app, lambda _: _open(client, PAGE))
        check = _queries(app, _check_plan)
        for visitor in (client, app.test_client()):
            _open(visitor, PRICING)
        called = calls()
    yield Figure(database, "queries of a signed-in page", str(page), "<= 2", page <= 2)
    yield Figure(database, "queries of a plan check", str(check), "<= 1", check <= 1)
    yield Figure(database, "calls to Polar for the prices", str(called), "0", called == 0)


@contextmanager
def _polar() -> Iterator[tuple[str, Callable[[], int]]]:
    """A Polar that only counts who knocks, and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.setblocking(False)

        def calls() -> int:
            count = 0
            while True:
                try:
                    server.accept()[0].close()
                except BlockingIOError:
                    return count
                count += 1

        yield f"http://127.0.0.1:{server.getsockname()[1]}", calls


def _application(url: str, polar: str) -> Flask:
    os.environ["APP_ENV"] = "production"
    from saas.app import create_app
    from saas.config import from_environment

    settings = environment(url, 1) | {"POLAR_API_URL": polar, "POLAR_TIMEOUT_SECONDS": "1"}
    return create_app(from_environment(settings))


def _customer(app: Flask) -> FlaskClient:
    """Sign somebody in by the form who has bought a plan."""
    from saas.accounts.models import User
    from saas.accounts.passwords import hash_password
    from saas.extensions import db
    from saas.kit.datetimes import utcnow

    with app.app_context():
        user = User(email="bench@example.com", password_hash=hash_password(PASSWORD))
        user.public_id, user.email_confirmed_at = external_id(0), utcnow()
        db.session.add(user)
        db.session.commit()
    client = app.test_client()
    for delivery in purchases(1):
        _deliver(client, delivery)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', _open(client, "/login"))
    fields = {"email": "bench@example.com", "password": PASSWORD, "csrf_token": token and token[1]}
    client.post("/login", data=fields, base_url=_base(app))
    return client


def _deliver(client: FlaskClient, delivery: Delivery) -> None:
    moment = datetime.now(UTC)
    headers = {
        "webhook-id": delivery.webhook_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(SECRET.encode()).sign(
            delivery.webhook_id, moment, delivery.body.decode()
        ),
    }
    url = _base(client.application) + "/webhooks/polar"
    answer = client.post(url, data=delivery.body, headers=headers)
    if answer.status_code != 202:
        raise SystemExit(f"A delivery was answered {answer.status}.")


def _open(client: FlaskClient, path: str) -> str:
    answer = client.get(path, base_url=_base(client.application))
    if answer.status_code != 200:
        raise SystemExit(f"{path} was answered {answer.status}.")
    return str(answer.text)


def _check_plan(user: Any) -> None:
    """What ``@subscription_required`` and ``can`` come down to, for somebody who is signed in."""
    from saas.billing import entitlements

    if not entitlements.for_user(user).has_plan():
        raise SystemExit("The purchase did not open what was bought.")


def _queries(app: Flask, act: Callable[[Any], object]) -> int:
    """Return how many queries ``act`` makes; it is given the customer."""
    from saas.accounts.models import User
    from saas.extensions import db

    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    with app.app_context():
        user = db.session.scalars(db.select(User)).one()
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            act(user)
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)


def _base(app: Flask) -> str:
    return str(app.extensions["settings"].base_url)
