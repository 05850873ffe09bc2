"""Who you are: sign-up, sign-in, recovery, account settings."""

from flask import Blueprint

bp = Blueprint("accounts", __name__)

from saas.accounts import views  # noqa: E402, F401
