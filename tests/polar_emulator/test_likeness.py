"""What the comparison with the recordings finds, so that it can be trusted when it finds nothing."""

from typing import Any

import pytest

from tests.polar_emulator.likeness import Likeness
from tests.polar_emulator.replay import order
from tests.polar_emulator.replay.reasons import REASONS, unexplained

ONE, TWO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
FEE = "the update with the fee came on one side only"
DAY, LATER = "2026-11-20T00:00:00.000001Z", "2026-12-20T00:00:00.000001Z"


@pytest.mark.parametrize(
    ("was", "ours", "found"),
    [
        ({"a": 1}, {}, [".a is missing"]),
        ({}, {"a": 1}, [".a is extra"]),
        ({}, {"api_version": "2026-10"}, []),
        ({"a": None}, {"a": 1}, [".a: None became 1"]),
        ({"a": 1}, {"a": None}, [".a: 1 became None"]),
        ({"a": 1}, {"a": True}, [".a: 1 became True"]),
        ({"a": 1}, {"a": 1.0}, [".a: 1 became 1.0"]),
        ({"metadata": {"n": 1}}, {"metadata": {"n": 2}}, [".metadata.n: 1 became 2"]),
        ([1, 2], [1], [": 2 entries became 1"]),
        ([1, 2], [1, 3], ["[1]: 2 became 3"]),
        ([ONE, ONE], [TWO, ONE], ["[1]: another id than before"]),
        ([ONE, TWO], [ONE, ONE], ["[1]: one id for two"]),
        ({ONE: 1, "id": ONE}, {TWO: 1, "id": TWO}, [f".{ONE} is missing", f".{TWO} is extra"]),
        ("polar_c_abc", "polar_c_def", []),
        ("polar_c_abc", "polar_mst_def", [": 'polar_c_*' became 'polar_mst_*'"]),
        (
            {"trial_start": DAY, "trial_end": LATER},
            {"trial_start": DAY, "trial_end": DAY},
            [".trial_start to trial_end: 1 months became 0 days"],
        ),
        ({"a": DAY, "b": DAY}, {"a": DAY, "b": LATER}, [".a is not b any more"]),
        ({"a": DAY}, {"a": LATER}, []),
    ],
)
def test_differences(was: Any, ours: Any, found: list[str]) -> None:
    assert Likeness().differences(was, ours) == found


@pytest.mark.parametrize(
    ("was", "ours", "found"),
    [
        (["order.paid", "customer.created"], ["customer.created", "order.paid"], []),
        (["customer.created"], ["customer.created"] * 2, ["customer.created: 1 became 2"]),
        (["customer.updated"] * 2, ["customer.updated"], ["customer.updated: 2 became 1"]),
        (["customer.state_changed"], ["customer.state_changed"] * 2, []),
        (["customer.state_changed"], [], ["customer.state_changed: 1 became 0"]),
        (["order.paid", "order.updated"], ["order.paid"], [FEE]),
        (["a", "b"], ["b", "a"], ["[('a', None), ('b', None)] became [('b', None), ('a', None)]"]),
    ],
)
def test_order(was: list[str], ours: list[str], found: list[str]) -> None:
    told = [[{"type": name, "data": {}} for name in names] for names in (was, ours)]
    assert order.differences(*told) == found


def test_a_reason_excuses_one_place_of_one_recording() -> None:
    line = "customer.created.data.modified_at: None became '2026'"
    assert unexplained("07a-setup-purchase-user5", [line]) == []
    assert unexplained("08a-setup-purchase-user6", [line]) == [line]
    assert unexplained("07a-setup-purchase-user5", ["order.paid.data.id is missing"]) != []
    assert all(reason.why for reason in REASONS)
