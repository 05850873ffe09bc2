"""The door Polar knocks on."""

from typing import cast

from flask import Blueprint, Flask
from flask.blueprints import BlueprintSetupState

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")

from saas.webhooks import inbox, views  # noqa: E402

__all__ = ["bp", "inbox", "views"]


@bp.record_once
def _prepare(state: BlueprintSetupState) -> None:
    """Give each application that has the door an inbox of its own."""
    inbox.init_app(cast(Flask, state.app))
