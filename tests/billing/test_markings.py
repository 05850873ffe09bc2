"""The metadata of products and benefits: numbers may be text, and what says nothing is named."""

import json
from typing import Any

import pytest

from saas.billing import markings


@pytest.mark.parametrize("value", [25, 25.0, "25", " 25 ", "025"])
def test_a_whole_number_is_a_limit(value: object) -> None:
    meta = {"feature": "projects", "limit": value, "seats": value}
    assert markings.limits("25 projects", meta) == {"projects": 25, "seats": 25}
    assert list(markings.mistakes_of_benefit("25 projects", meta)) == []


@pytest.mark.parametrize(
    "value",
    [
        *("", "many", "-1", "2.5", "1e3", "0x10", "²", "9" * 400, -1, 2.5, True, None, "[1]"),
        *(json.loads("1e999"), json.loads("NaN"), 10**400),
    ],
)
def test_nonsense_is_no_limit_and_is_named(value: object) -> None:
    meta = {"feature": "projects", "limit": value}
    assert markings.limits("25 projects", meta) == {}
    (words,) = markings.mistakes_of_benefit("25 projects", meta)
    assert words.startswith("the benefit 25 projects: limit is ")
    assert words.endswith("; write a whole number, such as 25")


def test_other_words_are_notes_of_the_merchant() -> None:
    meta = {"colour": "blue", "new": True}
    assert markings.limits("API access", meta) == {}
    assert list(markings.mistakes_of_benefit("API access", meta)) == []
    (words,) = markings.mistakes_of_benefit("API access", {"seats": -5})
    assert "seats is -5" in words


@pytest.mark.parametrize("value", [5, True, "", "  "])
def test_a_feature_without_a_name_goes_by_its_description_and_is_named(value: object) -> None:
    meta = {"feature": value}
    assert markings.feature_name("API access", meta) == "api_access"
    assert markings.limits("API access", meta) == {}
    (words,) = markings.mistakes_of_benefit("API access", meta)
    assert "write a name, such as reports" in words


def test_spaces_around_names_do_not_count() -> None:
    assert markings.feature_name("x", {"feature": " reports "}) == "reports"
    assert markings.plan_key("Pro Monthly", {"plan": "pro "}) == "pro"


@pytest.mark.parametrize(
    ("meta", "words"),
    [
        ({"plan": 5}, "plan is 5; write a short name"),
        ({"order": "first"}, 'order is "first"; write a number'),
        ({"order": "nan"}, 'order is "nan"; write a number'),
        ({"order": True}, "order is true; write a number"),
        ({"highlight": "please"}, 'highlight is "please"; write true or false'),
    ],
)
def test_what_a_product_says_in_vain_is_named(meta: dict[str, Any], words: str) -> None:
    (found,) = markings.mistakes_of_product("Pro", meta)
    assert f"the product Pro: {words}" in found
    assert (markings.plan_key("Pro", meta), markings.position(meta)) == ("Pro", float("inf"))
    assert not markings.is_highlighted(meta)


@pytest.mark.parametrize("value", [True, "true", "True", " YES ", 1, "1"])
def test_highlighted(value: object) -> None:
    meta = {"plan": "pro", "order": " 2 ", "highlight": value}
    assert markings.is_highlighted(meta)
    assert list(markings.mistakes_of_product("Pro", meta)) == []
