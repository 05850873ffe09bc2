"""Where Polar delivers. Every answer is 2xx or 4xx with one sentence, never a redirect or a 500."""

import logging
from http import HTTPStatus

from flask import Response, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import RequestEntityTooLarge

from saas.config import current
from saas.errors import A_MOMENT
from saas.extensions import csrf, db, limiter
from saas.kit.wsgi import drain, read_body
from saas.observability import context
from saas.webhooks import bp, inbox
from saas.webhooks.signature import BadSignature, verify

log = logging.getLogger(__name__)

MAX_ID_LENGTH = 255


@bp.post("/polar")
@csrf.exempt  # type: ignore[untyped-decorator]
@limiter.exempt  # Polar may come as often as it has something to say.
def polar() -> Response:
    """Verify the raw bytes, keep the delivery, answer 202, having tried to apply it."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        body = read_body(request)
        verify(body, headers, current().polar_webhook_secrets)
    except RequestEntityTooLarge:
        drain(request)
        return _refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")
    except BadSignature as bad:
        return _refuse(HTTPStatus.FORBIDDEN, str(bad))
    webhook_id = request.headers["webhook-id"]
    if len(webhook_id) > MAX_ID_LENGTH:
        return _refuse(HTTPStatus.BAD_REQUEST, "The webhook-id is too long.")
    context.webhook_id.set(webhook_id)
    try:
        inbox.accept(webhook_id, body, headers)
    except SQLAlchemyError:
        db.session.rollback()
        log.exception("webhook %s could not be kept; Polar will send it again", webhook_id)
        answer = _refuse(
            HTTPStatus.SERVICE_UNAVAILABLE, "It could not be kept. Send it again later."
        )
        answer.headers["Retry-After"] = str(A_MOMENT)
        return answer
    return _text(HTTPStatus.ACCEPTED, "Accepted.")


def _refuse(status: HTTPStatus, reason: str) -> Response:
    log.warning("webhook refused: %s", reason)
    return _text(status, reason)


def _text(status: HTTPStatus, sentence: str) -> Response:
    return Response(sentence + "\n", status=status, mimetype="text/plain")
