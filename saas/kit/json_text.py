"""JSON that somebody else wrote."""

import json
from collections.abc import Iterable
from typing import Any

DEEPEST = 100  # Polar's own objects have about eight levels; Python gives up at some thousand.


def read(text: str | bytes) -> Any:
    """Return what JSON says. Raises ``ValueError`` when it is none, or nested more than ``DEEPEST`` deep.

    What gets through can be compared, printed and written again: all of these go down into the levels,
    and would end in a ``RecursionError``.
    """
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    level = [found]
    for _ in range(DEEPEST + 1):
        level = [each for each in level if isinstance(each, dict | list)]
        if not level:
            return found
        level = [inner for each in level for inner in _inside(each)]
    raise ValueError("nested too deep")


def _inside(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value
