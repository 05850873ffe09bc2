"""Log lines as production prints them."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from saas.observability.logs import JsonFormatter
from tests.observability.reading import Lines


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Everything that is logged from here on, as the JSON that production prints."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)
