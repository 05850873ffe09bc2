"""What all pages share: headers, the error page, how things read in templates."""

from __future__ import annotations

from flask import Flask, Response, g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from polar_emulator.api.gate import is_api
from polar_emulator.pages import portal_changes, wording
from polar_emulator.pages.checkout import pages as checkout_pages
from polar_emulator.pages.control import control
from polar_emulator.pages.invoice import invoices

FILTERS = (
    wording.money,
    wording.date,
    wording.moment,
    wording.every,
    wording.pretty,
    wording.renewal,
    wording.subscription_words,
    wording.subscription_status,
    wording.tone,
)
THEMES = ("light", "dark")
ERROR_TITLES = {
    404: "There is nothing here",
    405: "That does not work here",
    413: "That was too much",
    422: "That cannot be done",
}


def install(app: Flask) -> None:
    """Add the pages to an application."""
    for blueprint in (checkout_pages, control, invoices, portal_changes.portal):
        app.register_blueprint(blueprint)
    app.context_processor(_theme)
    app.after_request(_protect)
    for read in FILTERS:
        app.add_template_filter(read)


def error_page(error: HTTPException) -> ResponseReturnValue:
    """A page for an error, or plain JSON for the remote control."""
    status = error.code or 500
    if request.path.startswith("/_emulator"):
        return {"error": error.name}, status
    title = ERROR_TITLES.get(status, error.name)
    page = render_template("error.html", title=title, text=error.description or "")
    return make_response(page, status)


def _theme() -> dict[str, str | None]:
    """`?theme=light` or `dark`, as Polar's checkout takes it; else the browser decides."""
    wanted = request.args.get("theme")
    return {"theme": wanted if wanted in THEMES else None}


def _protect(response: Response) -> Response:
    """Strict headers for pages. A form may lead on to the address of the shop it came from."""
    if is_api() or response.mimetype != "text/html":
        return response
    targets = " ".join(["'self'", *sorted(g.get("form_targets", ()))])
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action {targets}"
    )
    if request.blueprint == "control":
        policy += "; script-src 'self'; connect-src 'self'"
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "no-store")
    return response
