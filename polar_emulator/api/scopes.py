"""What a token may do. `polar_oat_scoped_orders:read,products:write` has just these scopes."""

from __future__ import annotations

import re

from flask import Response, request

from polar_emulator.api.wire import answer

SCOPED_PREFIX = "polar_oat_scoped_"
REFUSAL = "The request requires higher privileges than provided by the access token."
# Resources whose scopes are named otherwise than their path, and those with one scope only.
NAMES = {"benefit-grants": "benefits"}
READ_ONLY = frozenset({"orders", "customer_meters"})
# Asking for an invoice is reading, though it is a POST.
READING_POST = re.compile(r"/v1/orders/[^/]+/invoice$")


def refuse_scope(token: str) -> Response | None:
    """403 when a scoped token lacks every scope that would do for this request."""
    if not token.startswith(SCOPED_PREFIX):
        return None
    allowed = needed()
    if set(allowed) & set(token.removeprefix(SCOPED_PREFIX).split(",")):
        return None
    challenge = (
        f'Bearer realm="polar", scope="{" ".join(allowed)}", error="insufficient_scope", '
        f'error_description="{REFUSAL}"'
    )
    headers = {"WWW-Authenticate": challenge, "Cache-Control": "no-store", "Pragma": "no-cache"}
    return answer({"error": "insufficient_scope", "error_description": REFUSAL}, 403, headers)


def needed() -> list[str]:
    """The scopes of which this request needs one."""
    part = request.path.split("/")[2]
    resource = NAMES.get(part, part).replace("-", "_")
    if request.method not in {"GET", "HEAD"} and not READING_POST.match(request.path):
        return [f"{resource}:write"]
    reading = [f"{resource}:read"]
    return reading if resource in READ_ONLY else [*reading, f"{resource}:write"]
