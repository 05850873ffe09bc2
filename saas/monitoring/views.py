"""Where monitors ask."""

import hmac
from http import HTTPStatus

from flask import Response, abort, jsonify, request

from saas.config import current
from saas.extensions import limiter
from saas.monitoring import bp, numbers, readiness
from saas.observability import metrics

TEXT = "text/plain; version=0.0.4; charset=utf-8"


@bp.get("/readyz")
@limiter.exempt
def readiness_report() -> Response:
    """Say what is in order.

    503 means that this process cannot serve. A missing worker or late work is told with 200, because a
    load balancer would otherwise take every process away at once; a monitor asks ``?strict=1`` and gets
    503 for these, too.
    """
    vital = readiness.vital()
    can_serve = all(check.is_ok for check in vital.values())
    others = readiness.desirable() if can_serve else {}
    is_fine = can_serve and all(check.is_ok for check in others.values())
    is_ok = is_fine if request.args.get("strict") == "1" else can_serve
    response = jsonify(
        status="ready" if is_fine else "degraded" if can_serve else "not ready",
        checks={
            name: {"ok": check.is_ok} | check.facts for name, check in (vital | others).items()
        },
    )
    response.status_code = HTTPStatus.OK if is_ok else HTTPStatus.SERVICE_UNAVAILABLE
    return response


@bp.get("/metrics")
@limiter.exempt
def prometheus() -> Response:
    """Show the numbers to who knows METRICS_TOKEN; without that setting there is no such page."""
    token = current().metrics_token
    if not token:
        abort(HTTPStatus.NOT_FOUND)
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), token.encode()):
        refusal = Response(
            "METRICS_TOKEN is wanted as a bearer token.\n", 401, mimetype="text/plain"
        )
        refusal.headers["WWW-Authenticate"] = "Bearer"
        return refusal
    return Response(metrics.collect(numbers.FromTheDatabase()), content_type=TEXT)
