"""Who gets in: staff who gave their password a short while ago. To everybody else there is nothing here."""

from urllib.parse import urlsplit

from flask import abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from saas.accounts import destinations, staff
from saas.accounts.sessions import signed_in_user
from saas.kit.urls import safe_next

PREFIX = "/staff"
PASSWORD_PAGE = "backoffice.password"  # noqa: S105 - an endpoint


def guard() -> Response | None:
    """Answer 404 to strangers, whatever they ask for below ``/staff``, and have staff give their password."""
    if not _is_ours(request.path):
        return None
    user = signed_in_user()
    if user is None or not user.is_staff:
        abort(404)
    if request.endpoint in {None, PASSWORD_PAGE} or staff.gave_password_lately():
        return None
    if request.method not in {"GET", "HEAD"}:
        flash("Nothing was done yet. Give your password, then do it again.", "warning")
    return redirect(url_for(PASSWORD_PAGE, next=_way_back()), 303)


def _way_back() -> str:
    """Return the page that was asked for, or the one whose form was sent."""
    if request.method in {"GET", "HEAD"}:
        return destinations.here() or PREFIX
    parts = urlsplit(request.referrer or "")
    page = parts.path + (f"?{parts.query}" if parts.query else "")
    return safe_next(page, PREFIX) if _is_ours(parts.path) else PREFIX


def _is_ours(path: str) -> bool:
    return path == PREFIX or path.startswith(f"{PREFIX}/")
