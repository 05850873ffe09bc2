"""What all pages share: headers, the error page, formatting in templates."""

from __future__ import annotations

from flask import Flask
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException


def install(app: Flask) -> None:
    """Add the pages to an application."""


def error_page(error: HTTPException) -> ResponseReturnValue:
    """A page for an error."""
    return error
