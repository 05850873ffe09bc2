"""The two calls that front ends ask for: start a checkout, and see how it stands. JSON in, JSON out.

The session and the CSRF rules are those of the pages: the token goes into the header ``X-CSRFToken``. Every
error has one shape, ``{"error": {"code", "message"}}``, with the status 400, 401, 404, 422 or 503.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec

from flask import Response, jsonify, make_response, request
from sqlalchemy import select

from saas.accounts.limits import limited_calls
from saas.accounts.models import User
from saas.accounts.sessions import login_required, require_user
from saas.billing import bp, checkout, notices, reconcile
from saas.billing.metadata import readable_metadata
from saas.billing.models import Customer, Subscription
from saas.billing.wording import product_name
from saas.errors import AppError, error_page, saying_when
from saas.extensions import db
from saas.kit import json_text

API_LIMIT = "60 per minute"  # A front end asks every other second while a payment is confirmed.

# What pages answer with a status of its own is told here by its ``code``.
STATUSES = {
    HTTPStatus.CONFLICT: HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.BAD_GATEWAY: HTTPStatus.SERVICE_UNAVAILABLE,
}

P = ParamSpec("P")


class NotAnObject(AppError):
    """The body is not a JSON object."""

    status = HTTPStatus.BAD_REQUEST
    code = "not_json"
    message = "Send a JSON object."


def answering(view: Callable[P, Response]) -> Callable[P, Response]:
    """Turn expected trouble into the error of the calls, with one of their five statuses."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        try:
            return view(*args, **kwargs)
        except AppError as error:
            db.session.rollback()
            status = STATUSES.get(HTTPStatus(error.status), HTTPStatus(error.status))
            return saying_when(error_page(status, error.code, error.message), error)

    return guarded


@bp.post("/api/billing/checkout")
@login_required
@limited_calls(API_LIMIT)
@answering
def api_checkout() -> Response:
    """Start a checkout: ``{product_id, metadata?, exchange?}`` gives ``{id, url}``."""
    body = _object()
    product_id, metadata = body.get("product_id"), readable_metadata(body.get("metadata"))
    started = checkout.start(
        require_user(),
        product_id if isinstance(product_id, str) else None,
        metadata,
        exchange=body.get("exchange") is True,
    )
    return make_response(jsonify(id=started.id, url=started.url), HTTPStatus.CREATED)


@bp.get("/api/billing/checkout/<checkout_id>")
@login_required
@limited_calls(API_LIMIT)
@answering
def api_checkout_state(checkout_id: str) -> Response:
    """Say how a checkout stands: ``{id, status, customer, subscription}``; the last two may be null."""
    user = require_user()
    data = checkout.own(user, checkout_id)
    if data.get("status") == "succeeded":
        reconcile.pull_user(user)
        notices.after_change_for(user)
    return jsonify(
        id=str(data.get("id")),
        status=str(data.get("status")),
        customer=_customer(user, data),
        subscription=_subscription(data),
    )


def _object() -> dict[str, Any]:
    """Return the JSON object of the request. Raises ``NotAnObject``."""
    try:
        body = json_text.read(request.get_data()) if request.is_json else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise NotAnObject
    return body


def _customer(user: User, data: dict[str, Any]) -> dict[str, Any] | None:
    customer = db.session.get(Customer, str(data.get("customer_id")))
    if customer is None or customer.user_id != user.id:
        return None
    return {"id": customer.polar_id, "external_id": user.public_id, "email": customer.email}


def _subscription(data: dict[str, Any]) -> dict[str, Any] | None:
    """Return what was bought; it stays null for a one-time purchase and until the payment is through."""
    found = db.session.scalar(
        select(Subscription).where(Subscription.checkout_id == str(data.get("id")))
    )
    if found is None:
        return None
    return {
        "id": found.polar_id,
        "status": found.standing,
        "product_id": found.product_id,
        "product_name": product_name(found.product_id),
        "cancel_at_period_end": found.cancel_at_period_end,
        "current_period_end": found.current_period_end and found.current_period_end.isoformat(),
    }
