"""Staff only: users and their plans, deliveries, jobs, and a log of every act."""

from flask import Blueprint

bp = Blueprint("backoffice", __name__, url_prefix="/staff")

from saas.backoffice import entrance, views  # noqa: E402

__all__ = ["bp", "views"]

bp.before_app_request(entrance.guard)
