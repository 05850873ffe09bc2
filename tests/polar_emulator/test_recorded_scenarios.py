"""Every recording again: the same requests, the same answers, the same events with the same content."""

import pytest

from tests.polar_emulator import recorded
from tests.polar_emulator.receiving import Receiver
from tests.polar_emulator.replay import buying, people, plans, sending, shop
from tests.polar_emulator.replay.reasons import LEFT_OUT, unexplained
from tests.polar_emulator.replay.stage import STORIES, Stage

THEMES = (buying, people, plans, sending, shop)


@pytest.mark.parametrize("name", sorted(STORIES))
def test_story(name: str, listening: Receiver) -> None:
    story, names = STORIES[name]
    listening.deliveries.clear()
    listening.answers.clear()
    stage = Stage(listening)
    story(stage)
    assert set(names) <= set(stage.compared), "a story compares what it says"
    found = {key: unexplained(key, stage.compared[key]) for key in names}
    assert [f"{key}: {line}" for key, lines in found.items() for line in lines] == []


def test_nothing_is_left_out() -> None:
    """Every recording is compared by a story or has its reason, and none has gone from the fixtures."""
    compared = {name for _, names in STORIES.values() for name in names}
    everything = {*recorded.answers(), *recorded.scenarios()}
    assert (len(recorded.scenarios()), len(recorded.answers())) == (53, 198)
    assert everything - compared == set(LEFT_OUT)
    assert compared <= everything
