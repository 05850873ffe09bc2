"""Forms on pages: where they keep what was typed, and the status of a page that shows errors."""

from http import HTTPStatus
from typing import Any

from flask import render_template
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

Answer = str | tuple[str, int] | Response
"""What a view of a page returns: the page, the page with a status, or a redirect."""


STALE = "This page was open for too long, or your browser keeps no cookies. Send the form again."


class PageForm(FlaskForm):  # type: ignore[misc]
    """Parent of every form that is shown on a page."""

    def refuse(self, message: str) -> None:
        """Add an error that belongs to the form as a whole, not to one field."""
        self.form_errors.append(message)


def show(template: str, form: PageForm, **context: Any) -> tuple[str, int]:
    """Render a page with its form: 200 for a fresh one, 422 for one that came back with errors."""
    if "csrf_token" in form and form.csrf_token.errors:
        form.csrf_token.errors = [STALE]
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render_template(template, form=form, **context), status
