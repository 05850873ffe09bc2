"""How long somebody waits for the database: a visitor not for ever, a command as long as it takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from flask import has_request_context

# For one statement of a request. A page takes milliseconds; what takes this long is no longer awaited by
# anybody, and it ends before a proxy gives up (deploy/nginx.conf: 35 seconds).
REQUEST_SECONDS = 10.0

_limit: ContextVar[float | None] = ContextVar("limit", default=None)


def seconds() -> float | None:
    """Return how many seconds an answer may take here, or ``None`` for any time."""
    limit = _limit.get()
    if not has_request_context():
        return limit
    return REQUEST_SECONDS if limit is None else min(limit, REQUEST_SECONDS)


@contextmanager
def within(limit: float) -> Iterator[None]:
    """Let each answer take ``limit`` seconds at most, or less where less was said already."""
    token = _limit.set(min(limit, seconds() or limit))
    try:
        yield
    finally:
        _limit.reset(token)
