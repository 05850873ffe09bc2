"""One call after the other to Polar: raw JSON out and in, patience where it makes sense, pages of lists."""

import logging
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from saas.billing import pace
from saas.billing.gateway import client
from saas.billing.gateway.errors import PolarError, PolarNotFound, PolarRejected, PolarUnavailable
from saas.billing.gateway.reading import answered_at, json_of
from saas.kit.datetimes import utcnow
from saas.observability import metrics

log = logging.getLogger(__name__)

WORD = re.compile(r"v1|[a-z][a-z-]*")  # Polar's ids have digits in them.
PAGE_SIZE = 100  # Polar clamps larger ones.
RETRY_WITHIN_SECONDS = 1.5  # Only a failure that came quickly is worth a second try in a request.

_changing = threading.Lock()
_last_change = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Answer:
    """The JSON of an answer and the moment, by Polar's clock, before which it was read."""

    data: Any
    observed_at: datetime


@dataclass(frozen=True)
class Page:
    """One page of a list, and the number of the last one."""

    items: list[Answer]
    last: int


def page(path: str, number: int, query: dict[str, Any] | None = None) -> Page:
    """Return one page of a list, at most 100 objects; the first is number 1."""
    answer = call("GET", path, query={**(query or {}), "page": number, "limit": PAGE_SIZE})
    items, pagination = answer.data.get("items"), answer.data.get("pagination") or {}
    last = pagination.get("max_page", 0) if isinstance(pagination, dict) else None
    if not _are_objects(items) or not isinstance(last, int):
        raise _noted(PolarRejected(f"GET {path}: not a list of objects"))
    return Page([Answer(item, answer.observed_at) for item in items], last)


def _are_objects(items: object) -> bool:
    return isinstance(items, list) and all(isinstance(item, dict) for item in items)


def pages(path: str, query: dict[str, Any] | None = None) -> Iterator[Answer]:
    """Yield every object of a list, page by page."""
    number, last = 1, 1
    while number <= last:
        found = page(path, number, query)
        yield from found.items
        number, last = number + 1, found.last


def call(
    method: str, path: str, *, query: dict[str, Any] | None = None, body: object = None
) -> Answer:
    """Make a call. A read that failed quickly is tried twice; within a ``pace`` waiting is allowed."""
    keep = pace.present()
    if keep is None:
        return _patiently(method, path, query, body)
    for _ in range(pace.PATIENCE):
        keep.take_turn()
        try:
            return _patiently(method, path, query, body)
        except PolarUnavailable as error:
            if error.retry_after is None:
                raise
            keep.rest(error.retry_after)
    return _patiently(method, path, query, body)


def _patiently(method: str, path: str, query: dict[str, Any] | None, body: object) -> Answer:
    started = time.monotonic()
    try:
        return _once(method, path, query, body)
    except PolarUnavailable as error:
        quick = time.monotonic() - started < RETRY_WITHIN_SECONDS
        if method != "GET" or not quick or error.retry_after is not None:
            raise _noted(error) from None
    except PolarError as error:
        raise _noted(error) from None
    try:
        return _once(method, path, query, body)
    except PolarError as error:
        raise _noted(error) from None


def _once(method: str, path: str, query: dict[str, Any] | None, body: object) -> Answer:
    called_at, started = utcnow(), time.monotonic()
    outcome = "no answer"
    try:
        response = client.send(method, path, query, body)
        outcome = str(response.status_code)
    finally:
        seconds = time.monotonic() - started
        metrics.polar_called(operation(method, path), outcome, seconds)
    elapsed = timedelta(seconds=seconds)
    answered = answered_at(response, called_at + elapsed)
    # What was read may be as old as the call; what was changed is as new as the answer.
    seen = answered - elapsed if method == "GET" else _after_the_last(answered)
    return Answer(json_of(method, path, response), seen)


def _after_the_last(answered: datetime) -> datetime:
    """Keep the order of changes that Polar, whose answers are dated in seconds, gives the same moment."""
    global _last_change
    with _changing:
        if timedelta() <= _last_change - answered < timedelta(seconds=1):
            answered = _last_change + timedelta.resolution
        _last_change = answered
    return answered


def operation(method: str, path: str) -> str:
    """Return the call without the ids in it, for a table of how often each one is made."""
    parts = path.strip("/").split("/")
    kept = ("{id}" if not WORD.fullmatch(part) else part for part in parts)
    return f"{method} /{'/'.join(kept)}"


def _noted(error: PolarError) -> PolarError:
    level = logging.INFO if isinstance(error, PolarNotFound) else logging.WARNING
    log.log(level, "polar: %s (%s)", error.detail, type(error).__name__)
    return error
