"""Links that are mailed and work once: made, and read back into the user they belong to.

The nonce of the newest link is kept with the user, so a newer link ends the older ones and using it
ends itself. The token is signed and dated; see ``saas.kit.tokens``.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import current_app
from sqlalchemy import ColumnElement, select

from saas.accounts.errors import LinkExpired
from saas.accounts.models import User, new_nonce
from saas.extensions import db
from saas.kit import tokens
from saas.mail import link

CONFIRMATION_AGE = timedelta(days=3)  # A weekend away from the inbox.
NEW_ADDRESS_AGE = timedelta(days=1)
RESET_AGE = timedelta(hours=1)  # It opens the account to whoever finds it; asking again is easy.


def confirmation(user: User, next_url: str | None) -> str | None:
    """Return the address that confirms the user's e-mail, or ``None`` when it is confirmed.

    May change the user; the caller commits.
    """
    if user.has_confirmed_email:
        return None
    user.confirmation_nonce = user.confirmation_nonce or new_nonce()
    token = tokens.sign(_keys(), "confirmation", user.confirmation_nonce)
    return link("accounts.confirmation", token=token, next=next_url)


def reset(user: User, next_url: str | None) -> str:
    """Return the address where a new password is chosen. May change the user; the caller commits."""
    user.reset_nonce = user.reset_nonce or new_nonce()
    token = tokens.sign(_keys(), "reset", user.reset_nonce)
    return link("accounts.password_reset", token=token, next=next_url)


@dataclass(frozen=True)
class NewAddress:
    """What a link for another address stands for. ``asks_password`` when nobody typed it before."""

    user: User
    address: str
    asks_password: bool


def new_address(user: User, address: str, *, asks_password: bool = False) -> str:
    """Return the link that gives the user another address. It dies with the address or the password."""
    facts = [user.public_id, _key_print(user), user.email, address]
    payload = json.dumps([*facts, True] if asks_password else facts)
    return link("accounts.address_confirmation", token=tokens.sign(_keys(), "address", payload))


def read_new_address(token: str) -> NewAddress:
    """Read such a link, and lock its user. Raises ``LinkExpired``."""
    public_id, key_print, old, address, *asks_password = json.loads(
        _read("address", token, NEW_ADDRESS_AGE)
    )
    user = _only((User.public_id == public_id) & (User.email == old))
    if _key_print(user) != key_print:
        raise LinkExpired
    return NewAddress(user, str(address), bool(asks_password))


def user_of_confirmation(token: str) -> User:
    """Return, and lock, the user whose newest confirmation link this is. Raises ``LinkExpired``."""
    nonce = _read("confirmation", token, CONFIRMATION_AGE)
    return _only(User.confirmation_nonce == nonce)


def user_of_reset(token: str) -> User:
    """Return, and lock, the user whose newest reset link this is. Raises ``LinkExpired``."""
    nonce = _read("reset", token, RESET_AGE)
    return _only(User.reset_nonce == nonce)


def _key_print(user: User) -> str:
    """Return what tells one session key from the next without showing it: a token can be read."""
    return hashlib.sha256(user.auth_key.encode()).hexdigest()[:16]


def _read(purpose: str, token: str, max_age: timedelta) -> str:
    try:
        return tokens.read(_keys(), purpose, token, max_age)
    except tokens.TokenError as error:
        raise LinkExpired from error


def _only(condition: ColumnElement[bool]) -> User:
    # The lock lets only one of two clicks at the same moment use the link.
    user: User | None = db.session.scalar(select(User).where(condition).with_for_update())
    if user is None:
        raise LinkExpired
    return user


def _keys() -> Sequence[str]:
    fallbacks = current_app.config.get("SECRET_KEY_FALLBACKS") or []
    return [*reversed(fallbacks), current_app.config["SECRET_KEY"]]
