"""Keep a page for those whose plan includes it."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import ParamSpec, TypeVar

from flask import flash, jsonify, make_response, redirect, url_for
from werkzeug.wrappers import Response

from saas.accounts.sessions import login_required
from saas.billing.entitlements import can
from saas.errors import wants_json

P = ParamSpec("P")
R = TypeVar("R")


def requires(feature: str) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Let only users through whose plan includes ``feature``.

    A signed-out visitor is sent to sign in, a browser without the feature to the pricing page with a
    word of explanation, and a JSON client gets 401 or 402 with a machine-readable reason.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def gated(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            if not can(feature):
                return _upgrade(feature)
            return view(*args, **kwargs)

        return login_required(gated)

    return decorate


def _upgrade(feature: str) -> Response:
    words = feature.replace("_", " ")
    if wants_json():
        message = f"Your plan does not include {words}."
        error = {"code": "feature_required", "message": message, "feature": feature}
        return make_response(jsonify(error=error), HTTPStatus.PAYMENT_REQUIRED)
    flash(f"Your plan does not include {words}. Choose one that does to go on.", "info")
    return make_response(redirect(url_for("billing.pricing"), HTTPStatus.SEE_OTHER))
