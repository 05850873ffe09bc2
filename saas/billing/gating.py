"""Keep a page for those whose plan includes it: by feature, by plan, or by how much is used already."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec, TypeVar, overload

from flask import flash, jsonify, make_response, redirect, url_for
from werkzeug.wrappers import Response

from saas.accounts.models import User
from saas.accounts.sessions import login_required, require_user
from saas.billing.entitlements import can, current_entitlements, limit
from saas.errors import wants_json

P = ParamSpec("P")
R = TypeVar("R")
Refusal = Callable[[], Response | None]


def requires(feature: str) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Let only users through whose plan includes ``feature``.

    A signed-out visitor is sent to sign in, a browser without the feature to the pricing page with a
    word of explanation, and a JSON client gets 401 or 402 with a machine-readable reason.
    """

    def refusal() -> Response | None:
        if can(feature):
            return None
        words = feature.replace("_", " ")
        return _refuse("feature_required", f"Your plan does not include {words}.", feature=feature)

    return _gate(refusal)


@overload
def subscription_required(view: Callable[P, R], /) -> Callable[P, R | Response]: ...
@overload
def subscription_required(*plans: str) -> Callable[[Callable[P, R]], Callable[P, R | Response]]: ...
def subscription_required(
    *given: str | Callable[P, R],
) -> Any:
    """Let only subscribers through: of any plan but the free one, or of the plans that are named.

    ``@subscription_required`` or ``@subscription_required("pro", "team")``; a name is a plan's key (the
    product's metadata ``plan``, else its name) or a product id. Who bought a plan once counts as well.
    """
    if len(given) == 1 and callable(given[0]):
        return _subscription_gate(())(given[0])
    return _subscription_gate(tuple(name for name in given if isinstance(name, str)))


def within_limit(
    name: str, used: Callable[[User], int]
) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Let users through as long as ``used(user)`` is below what their plan includes of ``name``.

    For the view that adds one more. ``used`` is yours: it counts what the user has.
    """

    def refusal() -> Response | None:
        have, included = used(require_user()), limit(name)
        if have < included:
            return None
        words = name.replace("_", " ")
        message = f"Your plan includes {included} {words}, and you have {have}."
        return _refuse("limit_reached", message, limit=included, name=name, used=have)

    return _gate(refusal)


def _subscription_gate(
    plans: tuple[str, ...],
) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    def refusal() -> Response | None:
        if current_entitlements().has_plan(*plans):
            return None
        message = "This needs another plan." if plans else "This needs a subscription."
        return _refuse("subscription_required", message, plans=list(plans))

    return _gate(refusal)


def _gate(refusal: Refusal) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def gated(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            return refusal() or view(*args, **kwargs)

        return login_required(gated)

    return decorate


def _refuse(code: str, message: str, **details: object) -> Response:
    if wants_json():
        error = {"code": code, "message": message, **details}
        return make_response(jsonify(error=error), HTTPStatus.PAYMENT_REQUIRED)
    step = "one that does" if code == "feature_required" else "a plan that fits"
    flash(f"{message} Choose {step} to go on.", "info")
    return make_response(redirect(url_for("billing.pricing"), HTTPStatus.SEE_OTHER))
