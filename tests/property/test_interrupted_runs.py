"""However often a comparison is interrupted, whatever happens between: the one that ends makes it right."""

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from polar_emulator.testing import LocalPolar
from saas.billing import survey
from saas.billing.gateway import wire
from saas.billing.models import Product, Subscription
from saas.extensions import db
from tests.property.profile import examples
from tests.property.test_dry_run import _compare
from tests.property.test_local_polar import (
    STEPS,
    Chances,
    Letterbox,
    _begin,
    _live,
    letterbox,
)

__all__ = ["letterbox"]

Interruption = tuple[int, list[tuple[str, int]]]
INTERRUPTIONS = st.lists(st.tuples(st.integers(0, 12), STEPS), min_size=1, max_size=3)


class PowerCut(Exception):
    """What ends a process between two pages."""


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of several pages without hundreds of objects."""
    monkeypatch.setattr(wire, "PAGE_SIZE", 1)


@given(steps=STEPS, interruptions=INTERRUPTIONS)
@examples(6)
def test_the_run_that_ends_makes_it_right(
    polar_shared_app: Flask,
    polar_emulator_process: LocalPolar,
    letterbox: Letterbox,
    small_pages: None,
    steps: list[tuple[str, int]],
    interruptions: list[Interruption],
) -> None:
    polar = polar_emulator_process
    polar.reset()
    with polar_shared_app.app_context():
        _begin(polar_shared_app)
        _live([("buy", 1), *steps], polar_shared_app, polar, letterbox)
        for pages, meanwhile in interruptions:
            _settle(polar)
            _interrupted(pages)
            _happen(polar, meanwhile)
        _settle(polar)
        rehearsed = _compare(dry_run=True)
        assert rehearsed == _compare(dry_run=False)
        assert _compare(dry_run=False) == []
        ours = dict(db.session.execute(select(Subscription.polar_id, Subscription.status)).all())
        assert ours.items() >= _at_polar(polar).items()


def _interrupted(pages: int) -> None:
    """Read so many pages, or all of them, and end before the run is over."""
    made = 0

    def progress(calls: int) -> None:
        nonlocal made
        made += calls
        if made > pages:
            raise PowerCut

    plan = survey.prepare()
    if plan.calls > pages:
        with pytest.raises(PowerCut):
            survey.run(plan, progress)
    db.session.rollback()


def _happen(polar: LocalPolar, steps: list[tuple[str, int]]) -> None:
    """Let things happen at Polar of which no webhook tells."""
    ids = {row.name: row.polar_id for row in db.session.scalars(db.select(Product))}
    chances = Chances(polar, ids)
    for name, number in steps:
        getattr(chances, name)(number)
        polar.wait_idle()
    chances.api.close()


def _settle(polar: LocalPolar) -> None:
    """Polar dates answers in whole seconds: within that of an event nobody knows which is newer."""
    polar.advance(2)
    polar.wait_idle()


def _at_polar(polar: LocalPolar) -> dict[str, str]:
    chances = Chances(polar, {})
    found = chances.api.get("/v1/subscriptions/", params={"limit": 100}).json()["items"]
    chances.api.close()
    return {each["id"]: each["status"] for each in found}
