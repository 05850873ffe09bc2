"""The storm of ``make bench``, small: workers are killed, connections cut, and nothing is wrong after it."""

import os
from pathlib import Path

import bench_chaos
import bench_server
import bench_stories
import bench_visitor


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


def test_a_small_storm_leaves_everything_right(tmp_path: Path) -> None:
    url = os.environ.get("TEST_DATABASE_URL")
    if url is None:
        _storm(f"sqlite:///{tmp_path}/storm.db")
        return
    with bench_server.postgresql_database() as fresh:
        assert fresh is not None
        _storm(fresh)


def test_finished_text_is_served_by_the_same_configuration(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("finished")
    url = f"sqlite:///{tmp_path}/unused.db"
    with bench_server.Server("bench_finished:app", url, BENCH_PAGES=str(tmp_path)) as bare:
        measured = bench_visitor.ask_many(bare.port, "/page", times=5, at_once=2)
    assert measured.statuses == {200: 5}


def _storm(url: str) -> None:
    bench_server.migrate(url)
    aftermath = bench_chaos.run(url, 25, hurry=True)
    assert aftermath.is_right, aftermath
    assert aftermath.sent > 25 * 16
