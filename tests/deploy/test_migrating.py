"""Migrating PostgreSQL while others use it or migrate it as well."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from tests.scripts import ROOT  # Adds the scripts to the path.
from tests.scripts.running import wait_until

import bench_server  # isort: skip

if not os.environ.get("TEST_DATABASE_URL"):
    pytest.skip("TEST_DATABASE_URL names no PostgreSQL", allow_module_level=True)

ONE_AT_A_TIME = 7_610_214  # As in migrations/env.py.
UPGRADE = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]


@pytest.fixture
def fresh_database() -> Iterator[str]:
    with bench_server.postgresql_database() as url:
        assert url
        yield url


def test_two_machines_migrate_at_once(fresh_database: str) -> None:
    with psycopg.connect(fresh_database, autocommit=True) as first:
        first.execute("SELECT pg_advisory_lock(%s)", (ONE_AT_A_TIME,))
        both = [migrate(fresh_database) for _ in range(2)]
        assert wait_until(lambda: connections(first) == 2)
        tables = first.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchone() == (0,)
        first.execute("SELECT pg_advisory_unlock(%s)", (ONE_AT_A_TIME,))
        said = [process.communicate(timeout=60)[1] for process in both]
        assert [process.returncode for process in both] == [0, 0], said
        assert first.execute("SELECT count(*) FROM users").fetchone() == (0,)


def test_it_gives_up_where_somebody_holds_the_table(fresh_database: str) -> None:
    migrate(fresh_database).communicate(timeout=60)
    with psycopg.connect(fresh_database) as holder:
        holder.execute("UPDATE alembic_version SET version_num = '0003'")
        holder.execute("DROP TABLE billing_sync_runs")
        holder.commit()
        holder.execute("LOCK TABLE alembic_version IN SHARE MODE")
        process = migrate(fresh_database)
        said = process.communicate(timeout=60)[1]
    assert process.returncode != 0
    assert "lock timeout" in said


@pytest.mark.parametrize("before", ["0040", "0051", "0070"])
def test_it_can_be_run_again_where_an_index_had_to_wait_for_too_long(
    fresh_database: str, before: str
) -> None:
    """An index that holds up nobody waits for every older transaction, a backup for example."""
    migrate(fresh_database, before).communicate(timeout=60)
    with psycopg.connect(fresh_database) as backup:
        backup.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        backup.execute("SELECT count(*) FROM alembic_version")
        process = migrate(fresh_database)
        said = process.communicate(timeout=60)[1]
        assert "lock timeout" in said
        backup.rollback()
        process = migrate(fresh_database)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 0, said
        half = backup.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
        assert half.fetchone() == (0,)


def migrate(url: str, revision: str = "head") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*UPGRADE, revision],
        cwd=ROOT,
        env=bench_server.environment(url, 1),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def connections(observer: "psycopg.Connection[tuple[int]]") -> int:
    row = observer.execute(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    ).fetchone()
    assert row
    return row[0]
