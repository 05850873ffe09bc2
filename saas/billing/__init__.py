"""What you pay and what you may use."""

from flask import Blueprint

bp = Blueprint("billing", __name__)

from saas.billing import api, decision_views, invoice_views, views  # noqa: E402, F401
