"""Where a visitor wanted to go before we asked who they are."""

from flask import request, url_for

from saas.kit.urls import safe_next

MAX_LENGTH = 1000  # Longer than any page of ours; mail programs break longer links.


def wanted() -> str | None:
    """Return the ``next`` of this request, in its address or form, when it is a page of ours."""
    target = request.values.get("next", "")
    return safe_next(target, "") or None if len(target) <= MAX_LENGTH else None


def here() -> str | None:
    """Return the page that is asked for, when one can come back to it.

    The address of a form's target answers 405 to a browser, and gunicorn refuses an address in an address
    that is too long.
    """
    page = request.full_path.rstrip("?")
    return page if request.method in {"GET", "HEAD"} and len(page) <= MAX_LENGTH else None


def after_sign_in() -> str:
    """Return the address to go to once signed in: the one wanted, else the dashboard."""
    return wanted() or url_for("dashboard.home")
