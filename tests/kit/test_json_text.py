"""Whatever comes as JSON is read, or refused with a ``ValueError``."""

import json
from typing import Any

import pytest

from saas.kit import json_text


@pytest.mark.parametrize(
    ("text", "value"),
    [("null", None), (b'{"a": [1, "b"]}', {"a": [1, "b"]}), ("[" * 100 + "]" * 100, None)],
)
def test_json_is_read(text: str | bytes, value: Any) -> None:
    assert json_text.read(text) == (json.loads(text) if value is None else value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        b"\xff\xfe{",
        "9" * 5000,
        "[" * 101 + "]" * 101,
        '{"a":' * 101 + "1" + "}" * 101,
        "[" * 100_000,
        '{"a":' * 60_000,
        "[" * 60_000 + "]" * 60_000,
    ],
)
def test_anything_else_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        json_text.read(text)
