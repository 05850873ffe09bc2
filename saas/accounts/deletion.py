"""Deleting an account. What others must end first (billing, at Polar) is ended first, or nothing happens."""

from saas.accounts import passwords, signals
from saas.accounts.errors import WrongPassword
from saas.accounts.models import User
from saas.extensions import db, start_write


def delete(user: User, password: str) -> None:
    """Delete the account of ``user``.

    Raises ``WrongPassword``, or the ``AppError`` of a receiver of ``user_deleting`` that could not do its
    part; then the account is still there.
    """
    if not passwords.matches(user.password_hash, password):
        raise WrongPassword
    user_id = user.id
    signals.ask(signals.user_deleting, user)
    start_write()
    found = db.session.get(User, user_id, with_for_update=True)
    if found is not None:
        db.session.delete(found)
    db.session.commit()
