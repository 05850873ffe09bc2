"""Another e-mail address: proven by a link to the new one, and told to the old one."""

from sqlalchemy.exc import IntegrityError

from saas.accounts import addresses, emails, links, passwords, service, signals
from saas.accounts.errors import LinkExpired, WrongPassword
from saas.accounts.models import User
from saas.extensions import db, start_write


def request(user: User, email: str, password: str) -> None:
    """Mail a link to the new address. Nothing changes before it is used.

    Whether the address has an account already is told to that address alone. Raises ``WrongPassword`` or
    ``InvalidAddress``.
    """
    address = addresses.normalise(email)
    if not passwords.matches(user.password_hash, password):
        raise WrongPassword
    start_write()
    holder = service.find(address)
    if holder is not None and holder.has_confirmed_email:
        emails.account_exists(holder, None)
    else:
        emails.confirm_new_address(user, address)
    db.session.commit()


def proposal(user: User, address: str) -> str | None:
    """Return a link for an address that somebody named elsewhere; it asks for the password, too.

    ``None`` when it is another account's, or none that we take: then the two stay apart.
    """
    wanted = addresses.normalise(address)
    holder = service.find(wanted)
    if holder is not None and holder.has_confirmed_email:
        return None
    return links.new_address(user, wanted, asks_password=True)


def confirm(token: str, password: str = "") -> User:
    """Use the link: the user has the new address from now on.

    Raises ``LinkExpired``, or ``WrongPassword`` when the link asks for it.
    """
    start_write()
    found = links.read_new_address(token)
    user, address = found.user, found.address
    if found.asks_password and not passwords.matches(user.password_hash, password):
        db.session.rollback()
        raise WrongPassword
    old = user.email
    _make_room(address)
    user.email = address
    user.reset_nonce = None  # A link in the old inbox must not open the account any more.
    try:
        emails.address_changed(user, old)
        db.session.commit()
    except IntegrityError:  # Somebody else took it in this moment.
        db.session.rollback()
        raise LinkExpired from None
    signals.tell(signals.email_changed, user)
    return user


def _make_room(address: str) -> None:
    """Drop an account that never showed that the address is its own. Raises ``LinkExpired``."""
    holder = service.find(address)
    if holder is None:
        return
    if holder.has_confirmed_email:
        raise LinkExpired
    db.session.delete(holder)
    db.session.flush()
