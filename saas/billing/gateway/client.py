"""The SDK's client, one for each process, and a look at another server with our token.

Nothing else in the application knows that there is an SDK; ``wire`` sends raw requests through it.
"""

import os
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import current_app

from saas.billing.gateway.errors import PolarUnavailable
from saas.config import current

if TYPE_CHECKING:
    import httpx
    from polar.base import SyncClientBase

# What the handlers are written and tested against.
API_VERSION = "2026-10"
CONNECT_SECONDS = 3.0

_making = threading.Lock()


def send(method: str, path: str, query: dict[str, Any] | None, body: object) -> "httpx.Response":
    """Make one request. Raises ``PolarUnavailable`` when there is no answer."""
    import httpx
    from polar import PolarNetworkError

    client = _of_this_process()
    try:
        request = client.build_request(method, path, query_params=query, body=body)
        return client.send_request(request)
    except (PolarNetworkError, httpx.HTTPError, httpx.InvalidURL) as error:
        cause = error.__cause__ or error
        detail, words = f"{method} {path}: {type(error).__name__}", str(error)
        if isinstance(cause, httpx.NetworkError | httpx.TimeoutException):
            detail, words = (
                f"{detail}: {words}",
                "",
            )  # Of the system; any other may quote the answer.
        was_sent = not isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout)
        may_be_done = was_sent and method != "GET"
        raise PolarUnavailable(detail, may_be_done=may_be_done, words=words) from None


def accepts_us(server_url: str) -> bool:
    """True when another Polar server takes our token: then the setting names the wrong server."""
    import httpx
    from polar import PolarNetworkError

    try:
        client = _make_client(server_url)
        request = client.build_request("GET", "/v1/organizations/")
        return client.send_request(request).status_code == HTTPStatus.OK
    except (PolarNetworkError, httpx.HTTPError):
        return False


def _of_this_process() -> "SyncClientBase":
    """Return this process's client. One used before a fork hands out other processes' answers."""
    key = f"polar-client-{os.getpid()}"
    with _making:
        if key not in current_app.extensions:
            current_app.extensions[key] = _make_client()
        client: SyncClientBase = current_app.extensions[key]
        return client


def _make_client(server_url: str = "") -> "SyncClientBase":
    # What `Polar` of the SDK stands on; importing all of its typed calls takes half as long again.
    import httpx
    from polar.base import SyncClientBase

    settings = current()
    timeout = httpx.Timeout(settings.polar_timeout_seconds, connect=CONNECT_SECONDS)
    address, token = server_url or settings.polar_url, settings.polar_token
    return SyncClientBase(address, API_VERSION, token, timeout)
