"""What every test starts from: a migrated database, an application, the local Polar."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from polar_emulator.testing import LocalPolar
from saas.app import create_app
from saas.config import Settings
from saas.extensions import db, limiter
from tests import costs, shares
from tests.compiled import Compiled
from tests.database import empty_database, wait_for_no_disk
from tests.recordings import SECRET
from tests.visitor import Visitor

# The local Polar, `advance` and `signed_delivery`: what others get for their tests, too.
pytest_plugins = ["polar_emulator.pytest_plugin"]

SECRET_KEY = "for-tests-only-0123456789abcdef0123456789"
COMPILED = Compiled()  # By each application anew otherwise, and there are hundreds.
NOWHERE = "http://127.0.0.1:9"  # The discard port: nobody listens, so a call fails at once.


def pytest_configure() -> None:
    """Take this process's share, when there are several (pytest-xdist)."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        shares.take(worker)


def pytest_unconfigure() -> None:
    """Give the share back."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shares.give_back()


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup() -> None:
    """Close sockets to anything but this machine."""
    from pytest_socket import socket_allow_hosts

    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(scope="session", autouse=True)
def least_costs() -> None:
    """Passwords are hashed for next to nothing: doing it in earnest took a tenth of the time of all tests."""
    costs.hash_at(costs.LEAST)


@pytest.fixture
def real_costs() -> Iterator[None]:
    """Passwords are hashed at the costs of the application, for tests that are about that."""
    costs.hash_at(costs.REAL)
    yield
    costs.hash_at(costs.LEAST)


@pytest.fixture(scope="session", autouse=True)
def one_tls_context() -> Iterator[None]:
    """All clients of HTTP share what they know of certificates: reading them takes each one 20 ms."""
    from httpx._transports import default

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(default, "create_ssl_context", cache(default.create_ssl_context))
        yield


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """PostgreSQL when TEST_DATABASE_URL names one, else a fresh SQLite file."""
    folder = tmp_path_factory.mktemp("database")
    return os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{folder / 'test.db'}"


@pytest.fixture(scope="session")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Development settings with a known webhook secret and no Polar."""
    return Settings(
        app_env="development",
        secret_key=SECRET_KEY,
        database_url=database_url,
        polar_api_url=NOWHERE,
        polar_webhook_secrets=(SECRET,),
        jobs_url="inline",
        mail_backend="file",
        mail_from="hello@example.com",
        mail_outbox_dir=str(tmp_path_factory.mktemp("outbox")),
        rate_limit_storage=os.environ.get("TEST_REDIS_URL") or "memory://",
    )


@pytest.fixture(scope="session")
def migrated(settings: Settings) -> Settings:
    """The settings, once their database has been migrated."""
    with running(settings) as app, app.app_context():
        upgrade()
    return settings


@contextmanager
def running(settings: Settings) -> Iterator[Flask]:
    """An application whose database connections are closed in the end."""
    app = create_app(settings)
    app.test_client_class = Visitor
    app.jinja_env.bytecode_cache = COMPILED
    with app.app_context():
        wait_for_no_disk(db.engine)
    yield app
    app.extensions["jobs"].close()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def make_app(migrated: Settings) -> Iterator[Callable[..., Flask]]:
    """Build an application whose settings differ in some fields."""
    with ExitStack() as stack:
        yield lambda **changes: stack.enter_context(running(replace(migrated, **changes)))


@pytest.fixture(scope="session")
def shared_app(migrated: Settings) -> Iterator[Flask]:
    """One application for all tests that need nothing special of it."""
    with running(migrated) as app:
        yield app


@pytest.fixture
def clean(shared_app: Flask, settings: Settings) -> Iterator[None]:
    """An empty database, an empty outbox and fresh rate limits."""
    with shared_app.app_context():
        empty_database()
        forget_limits()
    for mail in Path(settings.mail_outbox_dir).glob("*.log"):
        mail.unlink()
    yield
    with shared_app.app_context():
        db.session.remove()


def forget_limits() -> None:
    """Begin to count anew, also where it is counted while Redis is away, which a test may have left so."""
    limiter.reset()
    if limiter._fallback_storage is not None:
        limiter._fallback_storage.reset()
    limiter._storage_dead = False


@pytest.fixture
def app(shared_app: Flask, clean: None) -> Flask:
    """The application with an empty database; Polar does not answer."""
    return shared_app


@pytest.fixture
def queued_app(clean: None, make_app: Callable[..., Flask], tmp_path: Path) -> Flask:
    """The application whose jobs are left to workers; the queue is a file."""
    return make_app(jobs_url=f"sqlite:///{tmp_path / 'jobs.db'}")


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without cookies, CSRF protection on."""
    return app.test_client()


@pytest.fixture
def db_session(app: Flask) -> Iterator[Any]:
    """The database session inside an application context."""
    with app.app_context():
        yield db.session


@pytest.fixture(scope="session")
def polar_emulator_options() -> dict[str, Any]:
    """What the fixtures of polar_emulator.pytest_plugin need to know of us."""
    return {"webhook_secret": SECRET}


@pytest.fixture(scope="session")
def polar_shared_app(migrated: Settings, polar_emulator_process: LocalPolar) -> Iterator[Flask]:
    """The application that talks to the local Polar."""
    with running(replace(migrated, polar_api_url=polar_emulator_process.url)) as app:
        yield app


@pytest.fixture
def polar(polar_emulator: LocalPolar) -> LocalPolar:
    """The local Polar in its demo state, its own process, reached over loopback only."""
    return polar_emulator


@pytest.fixture
def polar_app(polar_shared_app: Flask, polar: LocalPolar, clean: None) -> Flask:
    """The application with an empty database and a local Polar in its demo state."""
    return polar_shared_app
