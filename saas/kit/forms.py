"""Forms on pages: where they keep what was typed, and the status of a page that shows errors."""

from http import HTTPStatus
from typing import Any

from flask import render_template, request
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

Answer = str | tuple[str, int] | Response
"""What a view of a page returns: the page, the page with a status, or a redirect."""


SENDING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
STALE = "This page was open for too long, or your browser keeps no cookies. Send the form again."


class PageForm(FlaskForm):  # type: ignore[misc]
    """Parent of every form that is shown on a page. It reads what a form sends, and nothing else.

    Left to itself Flask-WTF takes a JSON body for the fields as well, past the limits that count by field.
    """

    def __init__(self, **kwargs: Any) -> None:
        sent = request.form if request.method in SENDING else None
        super().__init__(formdata=sent, **kwargs)

    def refuse(self, message: str) -> None:
        """Add an error that belongs to the form as a whole, not to one field."""
        self.form_errors.append(message)


def show(template: str, form: PageForm, **context: Any) -> tuple[str, int]:
    """Render a page with its form: 200 for a fresh one, 422 for one that came back with errors."""
    if "csrf_token" in form and form.csrf_token.errors:
        form.csrf_token.errors = [STALE]
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render_template(template, form=form, **context), status
