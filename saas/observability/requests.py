"""Each request has a number, a line in the log when that is wanted, and is counted.

A line names the route and not the address: the address of a reset link opens an account, and a query
string holds what people type.
"""

import logging
import re
import secrets
import time

from flask import Flask, Response, g, request

from saas.config import Settings
from saas.observability import context, metrics
from saas.observability.logs import FIELDS

log = logging.getLogger("saas.access")

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")
QUIET = ("static", "pages.health", "monitoring.readiness_report", "monitoring.prometheus")


def init_app(app: Flask, settings: Settings) -> None:
    """Watch every request. To be called first, so that what others refuse is seen as well."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()
        context.forget()
        context.request_id.set(_number(settings))

    @app.after_request
    def end(response: Response) -> Response:
        response.headers[HEADER] = context.request_id.get()
        seconds = time.perf_counter() - g.get("began", time.perf_counter())
        endpoint = request.endpoint or "none"
        metrics.request_ended(endpoint, request.method, response.status_code, seconds)
        if settings.access_log and endpoint not in QUIET:
            _write(response, seconds)
        return response

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        context.forget()  # What the server logs in this thread before the next request is nobody's.


def _number(settings: Settings) -> str:
    """Return the number that a proxy of ours gave, or a new one."""
    if settings.trusted_proxies:
        given = request.headers.get(HEADER, "")
        if SANE.fullmatch(given):
            return given
    return secrets.token_hex(16)


def _write(response: Response, seconds: float) -> None:
    route = request.url_rule.rule if request.url_rule else "(no route)"
    milliseconds = round(seconds * 1000, 1)
    fields = {
        "method": request.method,
        "route": route,
        "status": response.status_code,
        "duration_ms": milliseconds,
    }
    words = "%s %s %s in %s ms"
    given = (request.method, route, response.status_code, milliseconds)
    log.info(words, *given, extra={FIELDS: fields})
