"""Words of ours in statements: never anybody else's."""

import pytest

from saas.kit.sql import word


def test_words() -> None:
    assert str(word("past_due")) == "'past_due'"
    assert str(word("benefits of a comp")) == "'benefits of a comp'"


@pytest.mark.parametrize("text", ["", " ", "o'brien", "a;b", "a--b", "a\\b", "a%b", "a:b", 'a"b'])
def test_what_somebody_typed(text: str) -> None:
    with pytest.raises(ValueError, match="not a word of ours"):
        word(text)
