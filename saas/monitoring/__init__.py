"""What monitors ask: is everything in order (``/readyz``), and how much of it (``/metrics``)."""

from flask import Blueprint

bp = Blueprint("monitoring", __name__)

from saas.monitoring import views  # noqa: E402, F401
