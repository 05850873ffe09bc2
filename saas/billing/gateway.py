"""The only caller of Polar. Raw JSON goes out and in; what goes wrong becomes *try again* or *never*.

The official SDK is the HTTP client (address, token, version header), but its typed answers are not
used: they refuse a whole answer for one new enum value, also after the call has taken effect. See
docs/decisions/polar-calls.md.
"""

import email.utils
import logging
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from flask import current_app

from saas.billing import pace
from saas.config import current
from saas.errors import AppError
from saas.kit.datetimes import utcnow

if TYPE_CHECKING:
    import httpx
    from polar.v2026_10 import Polar

log = logging.getLogger(__name__)

PAGE_SIZE = 100  # Polar clamps larger ones.
CONNECT_SECONDS = 3.0
RETRY_WITHIN_SECONDS = 1.5  # Only a failure that came quickly is worth a second try in a request.
MAX_RETRY_AFTER_SECONDS = 3600


class PolarError(AppError):
    """Parent of what can go wrong with a call. ``detail`` is for the log, never for a page."""

    status: ClassVar[int] = HTTPStatus.BAD_GATEWAY
    code = "polar_error"
    message = "Our payment provider gave an answer we could not use. Nothing was charged."

    def __init__(self, detail: str = "", *, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__()
        self.detail = detail
        self.errors = errors or []

    def complains_about(self, *location: str) -> bool:
        """True when the answer names this field, such as ``("body", "email")``."""
        return any(error.get("loc") == list(location) for error in self.errors)


class PolarUnavailable(PolarError):
    """Polar did not answer, or asked us to wait. Trying again later makes sense."""

    status: ClassVar[int] = HTTPStatus.SERVICE_UNAVAILABLE
    code = "polar_unavailable"
    message = (
        "Our payment provider does not answer at the moment. Nothing was charged. "
        "Please try again in a few minutes."
    )

    def __init__(self, detail: str = "", *, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class PolarUnauthorized(PolarError):
    """The token is wrong, expired, for the other environment, or lacks a scope."""

    code = "polar_unauthorized"
    message = (
        "Payments are not set up correctly on our side, so nothing was charged. "
        "We have noted it; please try again later or write to us."
    )


class PolarNotFound(PolarError):
    """Polar knows no such object."""


class PolarRejected(PolarError):
    """Polar understood and refused; the same call will be refused again."""


class PaymentDeclined(PolarRejected):
    """The customer's card was refused, so Polar changed nothing."""

    status: ClassVar[int] = HTTPStatus.PAYMENT_REQUIRED
    code = "payment_declined"
    message = (
        "Your card was declined, so nothing has changed. Update it under Manage subscription, "
        "then try again."
    )


@dataclass(frozen=True)
class Answer:
    """The JSON of an answer and the moment, by Polar's clock, before which it was read."""

    data: Any
    observed_at: datetime


def products() -> Iterator[Answer]:
    """Yield every product of the organisation, archived ones included."""
    return pages("/v1/products/")


def customer_by_external_id(external_id: str) -> Answer | None:
    """Return the customer that carries our id, or ``None``."""
    try:
        return call("GET", f"/v1/customers/external/{quote(external_id, safe='')}")
    except PolarNotFound:
        return None


def customer(polar_id: str) -> Answer:
    """Return a customer by Polar's own id. Raises ``PolarNotFound``, also when it was deleted."""
    return call("GET", f"/v1/customers/{quote(polar_id, safe='')}")


def customers_by_email(address: str) -> list[Answer]:
    """Return the customers with exactly this address; there is at most one."""
    return list(pages("/v1/customers/", {"email": address}))


def create_customer(external_id: str, address: str) -> Answer:
    """Create a customer. Raises ``PolarRejected`` when address or id are taken."""
    return call("POST", "/v1/customers/", body={"external_id": external_id, "email": address})


def update_customer(polar_id: str, **changes: object) -> Answer:
    """Change fields of a customer, such as ``external_id`` (once) or ``email``."""
    return call("PATCH", f"/v1/customers/{quote(polar_id, safe='')}", body=changes)


def delete_customer(polar_id: str) -> Answer:
    """Delete a customer; its subscriptions end at once. The answer is empty. Raises ``PolarNotFound``."""
    return call("DELETE", f"/v1/customers/{quote(polar_id, safe='')}")


def customer_subscriptions(polar_id: str) -> Iterator[Answer]:
    """Yield every subscription of a customer, whatever its status."""
    return pages("/v1/subscriptions/", {"customer_id": polar_id})


def customer_orders(polar_id: str) -> Iterator[Answer]:
    """Yield every order of a customer."""
    return pages("/v1/orders/", {"customer_id": polar_id})


def customer_grants(polar_id: str) -> Iterator[Answer]:
    """Yield every benefit grant of a customer, revoked ones included."""
    return pages("/v1/benefit-grants/", {"customer_id": polar_id})


def create_checkout(**fields: object) -> Answer:
    """Create a checkout; the answer's ``url`` is where the customer pays."""
    return call("POST", "/v1/checkouts/", body=fields)


def checkout(polar_id: str) -> Answer:
    """Return a checkout. Raises ``PolarNotFound``."""
    return call("GET", f"/v1/checkouts/{quote(polar_id, safe='')}")


def create_customer_session(external_id: str, return_url: str) -> Answer:
    """Create a session for the customer portal; the answer's ``customer_portal_url`` works for an hour."""
    body = {"external_customer_id": external_id, "return_url": return_url}
    return call("POST", "/v1/customer-sessions/", body=body)


def subscription(polar_id: str) -> Answer:
    """Return a subscription as it stands now. Raises ``PolarNotFound``."""
    return call("GET", f"/v1/subscriptions/{quote(polar_id, safe='')}")


def update_subscription(polar_id: str, **changes: object) -> Answer:
    """Change a subscription: plan, cancellation, pause. Raises ``PaymentDeclined``, ``PolarRejected``."""
    return call("PATCH", f"/v1/subscriptions/{quote(polar_id, safe='')}", body=changes)


def revoke_subscription(polar_id: str) -> Answer:
    """End a subscription at once. Raises ``PolarRejected`` when it has ended already."""
    return call("DELETE", f"/v1/subscriptions/{quote(polar_id, safe='')}")


def invoice(order_id: str) -> Answer:
    """Return the ``url`` of an order's invoice. Raises ``PolarNotFound`` until there is one."""
    return call("GET", f"/v1/orders/{quote(order_id, safe='')}/invoice")


def generate_invoice(order_id: str) -> None:
    """Have the invoice of an order made; it is there some seconds later."""
    call("POST", f"/v1/orders/{quote(order_id, safe='')}/invoice")


def accepts_us(server_url: str) -> bool:
    """True when another Polar server takes our token: then the setting names the wrong server."""
    import httpx
    from polar import PolarNetworkError

    try:
        client = _make_client(server_url).products.client
        request = client.build_request("GET", "/v1/organizations/")
        return client.send_request(request).status_code == HTTPStatus.OK
    except (PolarNetworkError, httpx.HTTPError):
        return False


@dataclass(frozen=True)
class Page:
    """One page of a list, and the number of the last one."""

    items: list[Answer]
    last: int


def page(path: str, number: int, query: dict[str, Any] | None = None) -> Page:
    """Return one page of a list, at most 100 objects; the first is number 1."""
    answer = call("GET", path, query={**(query or {}), "page": number, "limit": PAGE_SIZE})
    items, pagination = answer.data.get("items"), answer.data.get("pagination") or {}
    last = pagination.get("max_page", 0)
    if not isinstance(items, list) or not isinstance(last, int):
        raise _noted(PolarRejected(f"GET {path}: not a list of objects"))
    return Page([Answer(item, answer.observed_at) for item in items], last)


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
    import httpx
    from polar import PolarNetworkError

    client = _client().products.client
    called_at, started = utcnow(), time.monotonic()
    try:
        request = client.build_request(method, path, query_params=query, body=body)
        response = client.send_request(request)
    except (PolarNetworkError, httpx.HTTPError, httpx.InvalidURL) as error:
        raise PolarUnavailable(f"{method} {path}: {type(error).__name__}: {error}") from None
    elapsed = timedelta(seconds=time.monotonic() - started)
    answered = _answered_at(response, called_at + elapsed)
    # What was read may be as old as the call; what was changed is as new as the answer.
    return Answer(
        _json(method, path, response), answered - elapsed if method == "GET" else answered
    )


def _json(method: str, path: str, response: "httpx.Response") -> Any:
    status = response.status_code
    what = f"{method} {path}: {status}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise PolarUnavailable(what, retry_after=_retry_after(response) or 60)
    if status >= 500:
        raise PolarUnavailable(what, retry_after=_retry_after(response))
    try:
        data = response.json() if response.content else None
    except ValueError:
        raise PolarRejected(f"{what}: not JSON") from None
    if status in {202, 204} and data is None:
        return {}
    if status < 300:
        if not isinstance(data, dict):
            raise PolarRejected(f"{what}: not an object")
        return data
    detail = f"{what}: {str(data)[:500]}"
    if status in {401, 403} and not _is_business_refusal(data):
        raise PolarUnauthorized(detail)
    if status == 402:
        raise PaymentDeclined(detail)
    if status == 404:
        raise PolarNotFound(detail)
    errors = data.get("detail") if isinstance(data, dict) else None
    raise PolarRejected(detail, errors=errors if isinstance(errors, list) else None)


def _is_business_refusal(data: object) -> bool:
    """Tell 403 AlreadyActiveSubscription and its like from a token without the scope."""
    error = data.get("error") if isinstance(data, dict) else None
    return error not in {None, "Unauthorized", "invalid_token", "insufficient_scope", "Forbidden"}


def _noted(error: PolarError) -> PolarError:
    level = logging.INFO if isinstance(error, PolarNotFound) else logging.WARNING
    log.log(level, "polar: %s (%s)", error.detail, type(error).__name__)
    return error


def _answered_at(response: "httpx.Response", fallback: datetime) -> datetime:
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


_making = threading.Lock()


def _client() -> "Polar":
    """Return this process's client. One used before a fork hands out other processes' answers."""
    key = f"polar-client-{os.getpid()}"
    with _making:
        if key not in current_app.extensions:
            current_app.extensions[key] = _make_client()
        client: Polar = current_app.extensions[key]
        return client


def _make_client(server_url: str = "") -> "Polar":
    import httpx
    from polar.v2026_10 import Polar

    settings = current()
    timeout = httpx.Timeout(settings.polar_timeout_seconds, connect=CONNECT_SECONDS)
    return Polar(settings.polar_token, base_url=server_url or settings.polar_url, timeout=timeout)
