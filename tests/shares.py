"""When the tests run in several processes, each has a database of its own, and a Redis database of its own.

pytest-xdist names the processes gw0, gw1 and so on; the addresses in the environment are changed before
anything reads them. A process that runs alone keeps them as they are.
"""

import os
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql
from sqlalchemy import make_url

SCHEMA_OPTION = "-csearch_path="
REDIS_DATABASES = 16


def take(worker: str) -> None:
    """Make this process's share and point the environment to it."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        os.environ["TEST_DATABASE_URL"] = _database(url, worker)
    for name in ("TEST_REDIS_URL", "REDIS_URL"):
        if url := os.environ.get(name):
            os.environ[name] = _redis(url, int(worker.removeprefix("gw")))


def give_back() -> None:
    """Remove the share of this process."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        kind, name, ours = _parts(url)
        how = "CASCADE" if kind == "SCHEMA" else "WITH (FORCE)"
        _execute(
            ours if kind == "SCHEMA" else _beside(ours), f"DROP {kind} IF EXISTS {{}} {how}", name
        )


def _database(url: str, worker: str) -> str:
    kind, name, ours = _parts(url)
    share = f"{name}_{worker}"
    where = ours if kind == "SCHEMA" else _beside(ours)
    how = "CASCADE" if kind == "SCHEMA" else "WITH (FORCE)"
    _execute(where, f"DROP {kind} IF EXISTS {{}} {how}", share)
    _execute(where, f"CREATE {kind} {{}}", share)
    if kind == "DATABASE":  # A commit need not wait for the disk: nothing here outlives a crash.
        _execute(where, "ALTER DATABASE {} SET synchronous_commit = off", share)
    if kind == "SCHEMA":
        return url.replace(quote(SCHEMA_OPTION + name), quote(SCHEMA_OPTION + share))
    return urlunsplit(urlsplit(url)._replace(path=f"/{share}"))


def _parts(url: str) -> tuple[str, str, str]:
    """Return what the address names, a DATABASE or a SCHEMA, its name, and an address to connect to."""
    parsed = make_url(url)
    schema = str(parsed.query.get("options", "")).removeprefix(SCHEMA_OPTION)
    plain = urlunsplit(urlsplit(url)._replace(query=""))
    return ("SCHEMA", schema, plain) if schema else ("DATABASE", str(parsed.database), plain)


def _beside(url: str) -> str:
    """Return the address of another database of the server: one cannot be dropped from within."""
    return urlunsplit(urlsplit(url)._replace(path="/postgres"))


def _redis(url: str, number: int) -> str:
    parts = urlsplit(url)
    first = int(parts.path.strip("/") or 0)
    return urlunsplit(parts._replace(path=f"/{(first - number) % REDIS_DATABASES}"))


def _execute(url: str, statement: str, name: str) -> None:
    address = url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
