"""Expected trouble has a class, a status and a sentence; only bugs are 500."""

import logging
from http import HTTPStatus
from typing import ClassVar

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from gunicorn.http.errors import ParseException
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import BadRequest, HTTPException

from saas import schema
from saas.extensions import db, limiter, login_manager
from saas.kit.datetimes import utcnow
from saas.kit.wsgi import drain

log = logging.getLogger(__name__)

A_MOMENT = 60  # Seconds, where nobody said how long to wait.


class AppError(Exception):
    """Parent of every expected trouble. ``message`` is shown to the visitor, so write it for them."""

    status: ClassVar[int] = HTTPStatus.BAD_REQUEST
    code: ClassVar[str] = "bad_request"
    message: str = "This did not work."
    retry_after: int | None = None  # Seconds, where somebody said how long to wait.

    def __init__(self, message: str | None = None) -> None:
        self.message = message or self.message
        super().__init__(self.message)


SENTENCES: dict[int, str] = {
    400: "The request could not be understood. Go back and try again.",
    401: "Sign in first.",
    403: "You may not see this page.",
    404: "There is nothing at this address.",
    405: "This address does not take that kind of request.",
    409: "Something changed in the meantime. Reload the page and try again.",
    413: "That is more than this page takes.",
    415: "That kind of content is not accepted here.",
    422: "Something in the request is not valid.",
    429: "Too many tries in a short time. Wait a little, then try again.",
    500: "Something broke on our side. It has been noted.",
    502: "A service we depend on gave an answer we could not use. Try again in a moment.",
    503: "A service we depend on does not answer. Try again in a moment.",
}


def init_app(app: Flask) -> None:
    """Answer every error with a page, or with JSON for a client that asks for it."""
    app.register_error_handler(AppError, _app_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(ParseException, _broken_body)
    app.register_error_handler(SQLAlchemyError, _database_trouble)
    app.register_error_handler(Exception, bug)


def wants_json() -> bool:
    """True when the client prefers JSON to a page, and for every address below ``/api/``."""
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return request.is_json or best == "application/json"


def error_page(status: int, code: str, message: str) -> Response:
    """Return the page (or the JSON) for an error, with its status."""
    if wants_json():
        response = jsonify(error={"code": code, "message": message})
        response.status_code = status
        return response
    template = (
        f"errors/{status}.html" if status in {403, 404, 422, 429, 500, 503} else "errors/error.html"
    )
    return make_response(render_template(template, status=status, message=message), status)


def saying_when(response: Response, error: AppError) -> Response:
    """Return the answer to an error that goes away by itself, with the time after which to try again."""
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(error.retry_after or A_MOMENT)
    return response


def bug(error: Exception) -> Response:
    """Note an error that nobody expected, and say that it is noted."""
    db.session.rollback()
    log.exception("unhandled error on %s %s", request.method, _route())
    return error_page(500, "internal_error", SENTENCES[500])


def _app_error(error: AppError) -> Response:
    db.session.rollback()
    return saying_when(error_page(error.status, error.code, error.message), error)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    db.session.rollback()
    status = error.code or 500
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        drain(request)
    if status < 400:
        return error.get_response()
    response = error_page(status, _code(status), SENTENCES.get(status, error.name + "."))
    if status == HTTPStatus.TOO_MANY_REQUESTS and limiter.current_limit is not None:
        wait = limiter.current_limit.reset_at - utcnow().timestamp()
        response.headers["Retry-After"] = str(max(1, int(wait)))
    for name, value in error.get_headers():
        if name.lower() in {"retry-after", "allow", "www-authenticate"}:
            response.headers[name] = value
    return response


def _broken_body(_error: ParseException) -> ResponseReturnValue:
    """Answer 400 to a body of which gunicorn finds out, when it is read, that it is no HTTP."""
    return _http_error(BadRequest())


def _database_trouble(error: SQLAlchemyError) -> Response:
    """Answer 503 when the database cannot be used or lacks our tables; else it is a bug."""
    db.session.rollback()
    if (sentence := schema.explain(error)) is None:
        return bug(error)
    log.error("no database for %s %s: %s", request.method, _route(), sentence)
    g._login_user = login_manager.anonymous_user()  # To find out who asks, it would be needed.
    response = error_page(503, _code(503), SENTENCES[503])
    response.headers["Retry-After"] = str(A_MOMENT)
    return response


def _route() -> str:
    """Return the route: what stands in the address is the visitor's business."""
    return request.url_rule.rule if request.url_rule else "(no route)"


def _code(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")
    except ValueError:
        return "error"
