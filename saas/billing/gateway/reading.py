"""What an answer of Polar means: its JSON, its own time, or one of the errors."""

import email.utils
import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeGuard

from saas.billing.gateway.errors import (
    PaymentDeclined,
    PolarNotFound,
    PolarRejected,
    PolarScopeMissing,
    PolarUnauthorized,
    PolarUnavailable,
)
from saas.kit import json_text
from saas.kit.datetimes import utcnow

if TYPE_CHECKING:
    import httpx

MAX_RETRY_AFTER_SECONDS = 3600
WANTED_SCOPE = re.compile(r'scope="([^"]*)"')
NAME = re.compile(
    r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII
)  # Of an error, a field, a kind of trouble.
LONGEST_WORDS = 500


def json_of(method: str, path: str, response: "httpx.Response") -> Any:
    """Return the JSON of a good answer; raises the ``PolarError`` that a bad one stands for."""
    status = response.status_code
    what = f"{method} {path}: {status}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise PolarUnavailable(what, retry_after=_retry_after(response) or 60)
    if status >= 500:
        raise PolarUnavailable(
            what, retry_after=_retry_after(response), may_be_done=method != "GET"
        )
    try:
        data = json_text.read(response.content) if response.content else None
    except ValueError:
        raise PolarRejected(f"{what}: not JSON") from None
    if status in {202, 204} and data is None:
        return {}
    if status < 300:
        if not isinstance(data, dict):
            raise PolarRejected(f"{what}: not an object")
        return data
    detail, words = f"{what}{_names_in(data)}", str(data)[:LONGEST_WORDS]
    if status == 403 and isinstance(data, dict) and data.get("error") == "insufficient_scope":
        raise PolarScopeMissing(f"{what}: the token lacks the scope {_wanted_scope(response)}")
    if status in {401, 403} and not _is_business_refusal(data):
        raise PolarUnauthorized(detail, words=words)
    if status == 402:
        raise PaymentDeclined(detail, words=words)
    if status == 404:
        raise PolarNotFound(detail, words=words)
    raise PolarRejected(detail, errors=_complaints(data), words=words)


def _complaints(data: object) -> list[dict[str, Any]]:
    """Return what the answer finds wrong with the call, one object for each field."""
    found = data.get("detail") if isinstance(data, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _names_in(data: object) -> str:
    """Return the name of the error and of the fields that are complained of; no values, no sentences."""
    error = data.get("error") if isinstance(data, dict) else None
    places = [(*_path(each.get("loc")), each.get("type")) for each in _complaints(data)]
    named = [":".join(filter(_is_name, place)) for place in places]
    words = [error if _is_name(error) else "", *named]
    return "".join(f" {word}" for word in words if word)


def _path(place: object) -> list[object]:
    return list(place) if isinstance(place, list) else []


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def _is_business_refusal(data: object) -> bool:
    """Tell 403 AlreadyActiveSubscription and its like from a token without the scope."""
    error = data.get("error") if isinstance(data, dict) else None
    return error not in {None, "Unauthorized", "invalid_token", "Forbidden"}


def _wanted_scope(response: "httpx.Response") -> str:
    """Return which scopes would do, of which Polar tells in a header."""
    found = WANTED_SCOPE.search(response.headers.get("www-authenticate", ""))
    return " or ".join(found[1].split()) if found else "for it"


def answered_at(response: "httpx.Response", fallback: datetime) -> datetime:
    """Return Polar's own time of the answer, so that our clock being off changes nothing."""
    try:
        return email.utils.parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError, TypeError):
        return fallback


def _retry_after(response: "httpx.Response") -> int | None:
    value = response.headers.get("retry-after", "")
    if value.isascii() and value.isdigit():
        return min(int(value), MAX_RETRY_AFTER_SECONDS)
    try:
        wait = email.utils.parsedate_to_datetime(value) - utcnow()
    except (ValueError, TypeError):
        return None
    return max(0, min(int(wait.total_seconds()), MAX_RETRY_AFTER_SECONDS))
