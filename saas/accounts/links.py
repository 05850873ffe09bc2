"""Links that are mailed and work once: made, and read back into the user they belong to.

The nonce of the newest link is kept with the user, so a newer link ends the older ones and using it
ends itself. The token is signed and dated; see ``saas.kit.tokens``.
"""

from collections.abc import Sequence
from datetime import timedelta

from flask import current_app
from sqlalchemy import select

from saas.accounts.errors import LinkExpired
from saas.accounts.models import User, new_nonce
from saas.extensions import db
from saas.kit import tokens
from saas.mail import link

CONFIRMATION_AGE = timedelta(days=3)  # A weekend away from the inbox.
RESET_AGE = timedelta(hours=1)  # It opens the account to whoever finds it; asking again is easy.


def new_confirmation(user: User, next_url: str | None) -> str:
    """Return the address that confirms the user's e-mail. Changes the user; the caller commits."""
    user.confirmation_nonce = new_nonce()
    token = _sign("confirmation", user, user.confirmation_nonce)
    return link("accounts.confirmation", token=token, next=next_url)


def new_reset(user: User, next_url: str | None) -> str:
    """Return the address where a new password is chosen. Changes the user; the caller commits."""
    user.reset_nonce = new_nonce()
    token = _sign("reset", user, user.reset_nonce)
    return link("accounts.password_reset", token=token, next=next_url)


def user_of_confirmation(token: str) -> User:
    """Return, and lock, the user whose newest confirmation link this is. Raises ``LinkExpired``."""
    user, nonce = _read("confirmation", token, CONFIRMATION_AGE)
    if user.confirmation_nonce != nonce:
        raise LinkExpired
    return user


def user_of_reset(token: str) -> User:
    """Return, and lock, the user whose newest reset link this is. Raises ``LinkExpired``."""
    user, nonce = _read("reset", token, RESET_AGE)
    if user.reset_nonce != nonce:
        raise LinkExpired
    return user


def _sign(purpose: str, user: User, nonce: str) -> str:
    return tokens.sign(_keys(), purpose, {"user": user.public_id, "nonce": nonce})


def _read(purpose: str, token: str, max_age: timedelta) -> tuple[User, str]:
    try:
        payload = tokens.read(_keys(), purpose, token, max_age)
    except tokens.TokenError as error:
        raise LinkExpired from error
    # The lock lets only one of two clicks at the same moment use the link.
    query = select(User).where(User.public_id == payload["user"]).with_for_update()
    user = db.session.scalar(query)
    if user is None:
        raise LinkExpired
    return user, payload["nonce"]


def _keys() -> Sequence[str]:
    fallbacks = current_app.config.get("SECRET_KEY_FALLBACKS") or []
    return [*reversed(fallbacks), current_app.config["SECRET_KEY"]]
