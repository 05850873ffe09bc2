"""Staff only: users and their plans, deliveries, jobs, and a log of every act."""

from typing import cast

from flask import Blueprint, Flask
from flask.blueprints import BlueprintSetupState

bp = Blueprint("backoffice", __name__, url_prefix="/staff")

from saas.backoffice import entrance, views  # noqa: E402

__all__ = ["bp", "views"]


@bp.record_once
def _lock(state: BlueprintSetupState) -> None:
    """Put the guard before everything else, the CSRF check included: a stranger learns nothing here."""
    app = cast(Flask, state.app)
    app.before_request_funcs.setdefault(None, []).insert(0, entrance.guard)
