"""The storm of ``make bench``, small: workers are killed, PostgreSQL restarts, and nothing is wrong then."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import bench_cluster
import bench_door
import bench_server
import bench_stories
import bench_visitor
import pytest

from tests.scripts import ROOT
from tests.scripts.running import is_free

pytestmark = pytest.mark.usefixtures("turn")


@pytest.fixture
def postgresql() -> Iterator[str]:
    with bench_server.postgresql_database() as url:
        if url is None:
            pytest.skip("no PostgreSQL answers on this machine")
        yield url


def test_deliveries_of_two_customers_have_only_the_catalogue_in_common() -> None:
    deliveries = bench_stories.purchases(2)
    half = len(deliveries) // 2
    assert len({delivery.webhook_id for delivery in deliveries}) == len(deliveries) == 32
    first, second = (
        b"".join(d.body for d in part) for part in (deliveries[:half], deliveries[half:])
    )
    ids = [set(bench_stories.UUID.findall(text.decode())) for text in (first, second)]
    assert len(ids[0] - ids[1]) == len(ids[1] - ids[0]) >= 5
    assert b"bench_0" in first
    assert b"bench_0" not in second


@pytest.mark.stack
def test_a_small_storm_leaves_everything_right(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _storm("sqlite", f"sqlite:///{tmp_path}/storm.db", 25)
    assert capfd.readouterr().err == ""


@pytest.mark.stack
def test_a_small_storm_with_restarts_of_postgresql_leaves_everything_right(
    postgresql: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if reason := bench_cluster.why_none():
        pytest.skip(f"PostgreSQL cannot be restarted: {reason}")
    assert re.search(r", [1-9]\d* restarts$", _storm("postgresql", postgresql, 25))
    assert _beyond_lost_connections(capfd.readouterr().err) == []


@pytest.mark.stack
def test_where_postgresql_cannot_be_restarted_its_connections_are_cut(
    postgresql: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_cluster, "VERSIONS", ())
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert re.search(r", \d+ cuts$", _storm("postgresql", postgresql, 2))
    assert capsys.readouterr().out.splitlines() == [
        "PostgreSQL cannot be restarted, there are no initdb and pg_ctl: its connections are cut."
    ]


WAITING = """
import signal, time, psycopg, bench_cluster
signal.signal(signal.SIGINT, signal.default_int_handler)  # Who is started in the background ignores it.
with bench_cluster.running_cluster() as cluster, psycopg.connect(cluster.url) as connection:
    connection.execute("CREATE TABLE kept AS SELECT 1")
    connection.commit()
    cluster.crash()
    with psycopg.connect(cluster.url) as again:
        again.execute("SELECT * FROM kept")
        assert again.execute("SHOW fsync").fetchone() == ("on",)
    print(cluster.folder, cluster.port, flush=True)
    time.sleep(60)
"""


@pytest.mark.stack
def test_a_cluster_that_crashed_has_its_rows_and_is_gone_after_ctrl_c() -> None:
    if reason := bench_cluster.why_none():
        pytest.skip(f"PostgreSQL cannot be restarted: {reason}")
    with subprocess.Popen(
        [sys.executable, "-c", WAITING], cwd=ROOT / "scripts", text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout
        folder, port = process.stdout.readline().split()
        assert not is_free(int(port))
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert is_free(int(port))
    assert not Path(folder).exists()


def test_finished_text_is_served_by_the_same_configuration(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("finished")
    url = f"sqlite:///{tmp_path}/unused.db"
    with bench_server.Server("bench_finished:app", url, BENCH_PAGES=str(tmp_path)) as bare:
        measured = bench_visitor.ask_many(bare.port, "/page", times=5, at_once=2)
    assert measured.statuses == {200: 5}


def _storm(name: str, url: str, customers: int) -> str:
    """Hold a storm, judge it, and return what was done to it."""
    bench_server.migrate(url)
    done, *judged = bench_door.storm(name, url, customers)
    assert all(figure.is_held for figure in judged), judged
    assert int(done.value.split()[0]) > customers * 16
    return done.value


def _beyond_lost_connections(log: str) -> list[str]:
    """Return the lines that say more than that a connection went away with the server.

    psycopg warns of one that it was about to use just then; whether one was is a matter of milliseconds.
    """
    return [
        line
        for line in log.splitlines()
        if not (line.startswith("{") and _is_lost_connection(json.loads(line)))
    ]


def _is_lost_connection(entry: dict[str, str]) -> bool:
    return (entry["level"], entry["logger"]) == ("WARNING", "psycopg") and entry[
        "message"
    ].endswith(": the connection is lost")
