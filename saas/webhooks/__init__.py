"""The door Polar knocks on."""

from flask import Blueprint

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")

from saas.webhooks import views  # noqa: E402, F401
