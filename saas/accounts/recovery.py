"""The way back into an account whose password is forgotten."""

from saas.accounts import addresses, emails, links, passwords, signals
from saas.accounts.models import User
from saas.accounts.service import change_nothing, find_to_change
from saas.extensions import db, start_write


def request_reset(email: str, next_url: str | None = None) -> None:
    """Mail a link to choose a new password, or that there is no account.

    Raises ``InvalidAddress``.
    """
    address = addresses.normalise(email)
    user = find_to_change(address)
    if user is None:
        emails.no_account(address, next_url)
        change_nothing()
        return
    emails.reset_password(user, next_url)
    db.session.commit()


def reset(token: str, password: str) -> User:
    """Use a reset link: set the password, end every session, and take the address as confirmed.

    Raises ``LinkExpired``.
    """
    password_hash = passwords.hash_password(password)
    start_write()
    user = links.user_of_reset(token)
    was_confirmed = user.has_confirmed_email
    user.set_password_hash(password_hash)
    user.confirm_email()
    emails.password_changed(user)
    db.session.commit()
    if not was_confirmed:
        signals.tell(signals.email_confirmed, user)
    return user
