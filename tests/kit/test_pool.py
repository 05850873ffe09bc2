"""A connection that died while nobody used it is replaced before a request gets it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from saas.config import Settings
from saas.kit import pool

OWN_ID = text("SELECT pg_backend_pid()")


@pytest.fixture
def engine(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    if not settings.sqlalchemy_url.startswith("postgresql"):
        pytest.skip("a file has no connections that die; TEST_DATABASE_URL names no PostgreSQL")
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.0)
    engine = create_engine(settings.sqlalchemy_url, pool_size=2)
    pool.ask_the_idle(engine)
    yield engine
    engine.dispose()


def kill(engine: Engine, backend: int) -> None:
    with create_engine(engine.url, poolclass=NullPool).connect() as another:
        another.execute(text("SELECT pg_terminate_backend(:backend)"), {"backend": backend})


def test_a_dead_connection_is_replaced(engine: Engine) -> None:
    with engine.connect() as connection:
        before = connection.scalar(OWN_ID)
    kill(engine, before)
    with engine.connect() as connection:
        assert connection.scalar(OWN_ID) != before


def test_a_busy_one_is_not_asked(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", 60.0)
    with engine.connect() as connection:
        before = connection.scalar(OWN_ID)
    kill(engine, before)
    with pytest.raises(DBAPIError), engine.connect() as connection:
        connection.scalar(OWN_ID)
