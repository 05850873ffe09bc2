"""Who you are: sign-up, sign-in, recovery, account settings."""

from flask import Blueprint

bp = Blueprint("accounts", __name__)

from saas.accounts import letters, views  # noqa: E402, F401
