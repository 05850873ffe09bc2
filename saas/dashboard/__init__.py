"""Where your product goes. Two example pages: one for everybody, one that needs a feature."""

from flask import Blueprint

bp = Blueprint("dashboard", __name__, url_prefix="/dashboard")

from saas.dashboard import views  # noqa: E402, F401
