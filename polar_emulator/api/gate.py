"""What every API request passes: faults, version, token; and the errors as Polar writes them."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator

from flask import Blueprint, Flask, Response, request, stream_with_context
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.routing import RequestRedirect

from polar_emulator.api.limits import CONFIRM, refuse_many, too_many
from polar_emulator.api.scopes import refuse_scope
from polar_emulator.api.wire import answer, world
from polar_emulator.errors import ApiError, problem

VERSIONS = frozenset({"2026-04", "2026-10"})
DEFAULT_VERSION = "2026-04"
TOKEN_PREFIX = "polar_oat_"  # noqa: S105
PUBLIC_PATH = re.compile(r"/v1/checkouts/client/|/v1/checkout-links/[^/]+/redirect$")
REFUSAL = "The access token provided is expired, revoked, malformed, or invalid for other reasons."

api = Blueprint("api", __name__)


def is_api() -> bool:
    """Whether this request is for the API."""
    return request.path.startswith("/v1/") or request.path == "/v1"


def install(app: Flask) -> None:
    """Put the gate in front of the API of an application."""
    app.before_request(_enter)
    app.after_request(_leave)
    app.register_error_handler(ApiError, _api_error)
    app.register_blueprint(api)


def routing_error(error: HTTPException) -> Response | None:
    """The answer to a path, method or size of body that the API does not have, None for other paths."""
    if not is_api():
        return None
    if isinstance(error, MethodNotAllowed):
        methods = [name for name in error.valid_methods or [] if name not in {"HEAD", "OPTIONS"}]
        allowed = "GET" if "GET" in methods else next(iter(methods), "GET")
        return answer({"detail": "Method Not Allowed"}, 405, {"Allow": allowed})
    if isinstance(error, RequestEntityTooLarge):
        return answer({"detail": "Content Too Large"}, 413)
    return answer({"detail": "Not Found"}, 404)


def _enter() -> Response | None:
    if not is_api():
        return None
    return _fault() or _refuse_version() or _mend_slash() or _refuse_token()


def _leave(response: Response) -> Response:
    if not is_api():
        return response
    if "polar.bare" not in request.environ:
        response.headers["Polar-Version"] = request.headers.get("Polar-Version", DEFAULT_VERSION)
        if "polar.stranger" not in request.environ:
            response.headers.setdefault("X-Polar-Sandbox", "1")
        response.headers.setdefault("Cache-Control", "private, no-store")
    entry = {"method": request.method, "path": request.path, "status": response.status_code}
    query = request.query_string.decode(errors="replace")
    world().requests.append({**entry, "query": query})
    return response


def _api_error(error: ApiError) -> Response:
    return answer(error.body, error.status, error.headers)


def _refuse_version() -> Response | None:
    if request.headers.get("Polar-Version", DEFAULT_VERSION) in VERSIONS:
        return None
    request.environ["polar.bare"] = True
    return answer({"detail": "Not Found"}, 404)


def _mend_slash() -> Response | None:
    """A missing slash is mended with 307, so that a POST stays one."""
    if isinstance(request.routing_exception, RequestRedirect):
        mended = Response(status=307, headers={"Location": request.routing_exception.new_url})
        mended.headers.pop("Content-Type", None)
        return mended
    return None


def _refuse_token() -> Response | None:
    if request.routing_exception:
        return None
    if PUBLIC_PATH.match(request.path):
        return refuse_many("buyer", known=True) if CONFIRM.match(request.path) else None
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        body = {"error": "Unauthorized", "detail": "Unauthorized"}
        return answer(body, 401, {"WWW-Authenticate": 'Bearer realm="polar"'})
    known = token.startswith(TOKEN_PREFIX)
    limited = refuse_many(token, known=known)
    if limited is not None:
        return limited
    return refuse_scope(token) if known else _invalid_token()


def _invalid_token() -> Response:
    request.environ["polar.stranger"] = True
    challenge = f'Bearer realm="polar", error="invalid_token", error_description="{REFUSAL}"'
    headers = {"WWW-Authenticate": challenge, "Cache-Control": "no-store", "Pragma": "no-cache"}
    return answer({"error": "invalid_token", "error_description": REFUSAL}, 401, headers)


def _fault() -> Response | None:
    faults = world().faults
    if faults.api == "slow":
        time.sleep(faults.slow_seconds)
    if faults.api == "down":
        return _hang_up()
    if faults.api == "broken":
        return _break_off()
    if faults.api == "401":
        return _invalid_token()
    if faults.api == "422":
        detail = [problem("value_error", ("body",), "This request is refused on purpose.", None)]
        return answer({"error": "PolarRequestValidationError", "detail": detail}, 422)
    if faults.api == "429":
        return too_many()
    if faults.api == "500":
        request.environ["polar.bare"] = True
        return Response("Internal Server Error", 500, content_type="text/plain; charset=utf-8")
    if faults.api == "html":
        return Response("<!doctype html><title>Sign in</title>", content_type="text/html")
    return None


def _hang_up() -> Response:
    """Close the connection without an answer, as a machine that is gone."""
    _close()
    return Response()


def _break_off() -> Response:
    """Announce an answer, send the beginning of it, and close the connection."""

    def beginning() -> Iterator[bytes]:
        yield b'{"items":['
        _close()

    headers = {"Content-Length": "4096", "Content-Type": "application/json"}
    return Response(stream_with_context(beginning()), headers=headers)


def _close() -> None:
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
