"""Who works here. Staff are made on the command line only, so that no page can make one."""

from datetime import timedelta

from flask import session
from sqlalchemy import select

from saas.accounts import passwords
from saas.accounts.errors import WrongPassword
from saas.accounts.models import User, new_auth_key
from saas.extensions import db
from saas.kit.datetimes import utcnow

FRESH_FOR = timedelta(minutes=30)  # A long talk with a customer; a lunch break is longer.
PASSWORD_GIVEN = "password_given_at"  # noqa: S105 - the name of a session key


def appoint(user: User) -> None:
    """Make a user staff. The caller commits."""
    user.staff_since = user.staff_since or utcnow()


def dismiss(user: User) -> None:
    """Make staff an ordinary user again and end their sessions. The caller commits."""
    user.staff_since = None
    user.auth_key = new_auth_key()


def everybody() -> list[User]:
    """Return all staff, the longest serving first."""
    found = select(User).where(User.staff_since.is_not(None)).order_by(User.staff_since)
    return list(db.session.scalars(found))


def note_password() -> None:
    """Remember in this session that the password was given just now."""
    session[PASSWORD_GIVEN] = int(utcnow().timestamp())


def give_password(user: User, password: str) -> None:
    """Check the password of who is signed in and remember it. Raises ``WrongPassword``."""
    if not passwords.matches(user.password_hash, password):
        raise WrongPassword
    note_password()


def gave_password_lately() -> bool:
    """True when the password was given in this session a short while ago."""
    given = session.get(PASSWORD_GIVEN)
    if not isinstance(given, int):
        return False
    age = utcnow().timestamp() - given
    return -60 < age < FRESH_FOR.total_seconds()
