"""What starts programs that listen takes turns, in however many processes the tests run."""

import fcntl
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from saas.config import ROOT

TURN = Path(tempfile.gettempdir(), f"scripts-{sha256(str(ROOT).encode()).hexdigest()[:16]}.lock")
PATIENCE_SECONDS = 300  # For the turn of another process, and then one's own.


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a test wait for its turn."""
    for item in items:
        if "turn" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(PATIENCE_SECONDS))


@pytest.fixture(scope="module")
def turn() -> Iterator[None]:
    """Wait until no other process has the turn."""
    with TURN.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
