"""Pages for developers: the outbox. Registered in development only."""

from flask import Blueprint

bp = Blueprint("dev", __name__, url_prefix="/dev")

from saas.dev import views  # noqa: E402, F401
