"""Being signed in: what the browser keeps, and what happens to those who are not."""

import secrets
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import Response as FlaskResponse
from flask import abort, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_remembered, login_user, logout_user
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError, NoResultFound, SQLAlchemyError
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from werkzeug.wrappers import Response

from saas.accounts import bp, destinations, sign_ins
from saas.accounts.models import User
from saas.errors import SENTENCES, bug, error_page, wants_json
from saas.extensions import db, login_manager
from saas.observability import context

# What a visitor chose before signing in, and must find again afterwards.
KEPT_AT_SIGN_IN = ("pending_checkout",)

# What tells the browser that signed up from one that merely has the link of the mail.
BROWSER = "browser"

P = ParamSpec("P")
R = TypeVar("R")

# Flask-Login would tie the session to the address and the browser's name. The address of a phone
# changes on the way home, and it is read from X-Forwarded-For, which anybody can write.
login_manager.session_protection = None


def sign_in(user: User, remember: bool = False) -> None:
    """Start a fresh session for ``user``, so that one planted by somebody else is worth nothing."""
    kept = {name: session[name] for name in KEPT_AT_SIGN_IN if name in session}
    sign_out()  # Whoever was signed in or remembered in this browser before is not any more.
    session.update(kept)
    g.sign_in_id, user.session_token = sign_ins.begin(user, request.user_agent.string, remember)
    login_user(user, remember=remember, duration=sign_ins.REMEMBERED.at_most)


def renew(user: User) -> None:
    """Keep this browser signed in after the user's key has changed; every other one is out."""
    sign_in(user, remember=login_remembered())


def browser_secret() -> str:
    """Return the secret of this browser, made when first asked for; it ends with the session."""
    if BROWSER not in session:
        session[BROWSER] = secrets.token_urlsafe(24)
    return str(session[BROWSER])


def sign_out() -> None:
    """End the session of this browser, here and in the browser; a copy of its cookie is worth nothing."""
    user, sign_in_id = signed_in_user(), this_sign_in()
    if user is not None and sign_in_id is not None:
        sign_ins.end(user.id, sign_in_id)
    session.clear()
    logout_user()


def this_sign_in() -> int | None:
    """Return the id of this browser's sign-in, or ``None`` for a visitor."""
    signed_in_user()
    found: int | None = g.get("sign_in_id")
    return found


def signed_in_user() -> User | None:
    """Return who is signed in, or ``None`` for a visitor."""
    user = g.get("_login_user")  # Where Flask-Login keeps it; a page asks a dozen times.
    if user is None:
        user = current_user._get_current_object()  # The proxy would change with the session.
    return user if isinstance(user, User) else None


def require_user() -> User:
    """Return who is signed in. Only for views behind ``login_required``; otherwise it is a 401."""
    return signed_in_user() or abort(401)


def login_required(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Send visitors to the sign-in page and back; answer 401 to JSON clients."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if signed_in_user() is None:
            return cast(Response, login_manager.unauthorized())
        return view(*args, **kwargs)

    return guarded


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load_user(token: str) -> User | None:
    found = sign_ins.find(token)
    if found is None:
        return None
    g.sign_in_id, g.sign_in_is_due = found.id, found.is_due
    context.user.set(found.user.public_id)
    return found.user


@bp.after_app_request
def _note_use(response: FlaskResponse) -> FlaskResponse:
    if g.get("sign_in_is_due"):
        sign_ins.note_use(g.sign_in_id)
    return response


@bp.app_errorhandler(IntegrityError)
@bp.app_errorhandler(NoResultFound)
@bp.app_errorhandler(ObjectDeletedError)
@bp.app_errorhandler(StaleDataError)
def _account_gone(error: SQLAlchemyError) -> ResponseReturnValue:
    """Answer as to a visitor when another tab has deleted the account in the middle of a request."""
    db.session.rollback()
    user = signed_in_user()
    if user is None or db.session.get(User, inspect(user).identity) is not None:
        return bug(error)
    session.clear()
    logout_user()
    if wants_json():
        return error_page(401, "unauthorized", SENTENCES[401])
    flash("This account does not exist any more.", "info")
    return redirect(url_for("pages.home"), 303)


@login_manager.unauthorized_handler  # type: ignore[untyped-decorator]
def _ask_to_sign_in() -> Response:
    if wants_json():
        abort(401)
    flash("Sign in to go on.", "info")
    return redirect(url_for("accounts.login", next=destinations.here()), 303)
