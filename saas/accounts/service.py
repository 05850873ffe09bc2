"""What can be done with an account. Each verb is one transaction and commits it, since the mail and
the signal that follow must not tell of something that is not so."""

import hashlib

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from saas.accounts import addresses, emails, links, passwords, signals
from saas.accounts.errors import InvalidAddress, NotYourPassword, SignInRefused, WrongPassword
from saas.accounts.models import User, new_nonce
from saas.extensions import db, start_write


def find(email: str) -> User | None:
    """Return the user with this address in any spelling, or ``None``."""
    try:
        address = addresses.normalise(email)
    except InvalidAddress:
        return None
    return db.session.scalar(select(User).where(User.email == address))


def find_to_change(address: str) -> User | None:
    """Begin a transaction and return the user with this normal address, locked, or ``None``.

    Without the lock somebody could confirm an account between our look at it and our change.
    """
    start_write()
    return db.session.scalar(select(User).where(User.email == address).with_for_update())


def change_nothing() -> None:
    """End the transaction with as much written as for a change, and nothing changed.

    Where an address has no account, or one that stays as it is, a plain end would be a millisecond
    sooner than storing a new link, and a patient stranger could tell the difference.
    """
    nobody = User(email=f"{new_nonce()}@invalid", password_hash=passwords.NOBODYS_HASH)
    db.session.add(nobody)
    db.session.flush()
    db.session.delete(nobody)
    db.session.commit()


def register(email: str, password: str, next_url: str | None = None, browser: str = "") -> None:
    """Ask for an account. Whatever was there before, the address gets one mail with the next step.

    A new address gets an account that waits for confirmation. One that waits already gets a new
    link and the new password, so that nobody keeps an address busy with a password of their own.
    One that is confirmed stays as it is. ``browser`` is the secret of the browser that asks; in it
    the link needs no password. Raises ``InvalidAddress``.
    """
    address = addresses.normalise(email)
    password_hash = passwords.hash_password(password)
    try:
        _register(address, password_hash, next_url, browser)
    except IntegrityError:  # Somebody else took the address in this moment: now it is there.
        _register(address, password_hash, next_url, browser)


def confirm(token: str, browser: str = "", password: str = "") -> User:
    """Use a confirmation link and return its user, confirmed.

    The link proves the address, and the browser or the password that it was asked for by the same
    person: otherwise a stranger could sign up with your address, and you would confirm an account
    that opens with their password. Raises ``LinkExpired`` or ``NotYourPassword``.
    """
    user = links.user_of_confirmation(token)
    password_hash, knows = user.password_hash, chose_password(user, browser)
    db.session.rollback()  # Checking a password takes a while; nobody should wait for it.
    if not knows and not passwords.matches(password_hash, password):
        raise NotYourPassword
    start_write()
    user = links.user_of_confirmation(token)
    user.confirm_email()
    db.session.commit()
    signals.tell(signals.email_confirmed, user)
    return user


def chose_password(user: User, browser: str) -> bool:
    """True when the browser with this secret is the one that signed up last with the address."""
    return bool(browser) and user.confirmation_browser == _digest(browser)


def request_confirmation(email: str, next_url: str | None = None) -> None:
    """Mail a new confirmation link, or what else the owner of the address needs to know.

    Raises ``InvalidAddress``.
    """
    address = addresses.normalise(email)
    user = find_to_change(address)
    if user is None:
        emails.no_account(address, next_url)
    else:
        mail_confirmation(user, next_url)
    if user is None or user.has_confirmed_email:
        change_nothing()
    else:
        db.session.commit()


def mail_confirmation(user: User, next_url: str | None = None) -> None:
    """Ask for the mail with a new link, or with the news that it is not needed. The caller commits."""
    write = emails.account_exists if user.has_confirmed_email else emails.confirm_address
    write(user, next_url)


def authenticate(email: str, password: str) -> User:
    """Return the user who may sign in with these. Raises ``SignInRefused``, after the same time."""
    user = find(email)
    password_hash = user.password_hash if user else passwords.NOBODYS_HASH
    is_right = passwords.matches(password_hash, password)
    if user is None or not is_right or not user.has_confirmed_email:
        raise SignInRefused
    if passwords.needs_rehash(password_hash):
        _rehash(user.id, password_hash, password)
    return user


def change_password(user: User, current: str, new: str) -> None:
    """Replace the password, which ends every session: the caller renews its own.

    Raises ``WrongPassword``.
    """
    if not passwords.matches(user.password_hash, current):
        raise WrongPassword
    password_hash = passwords.hash_password(new)
    user_id = user.id
    start_write()
    user = db.session.get_one(User, user_id, with_for_update=True)
    user.set_password_hash(password_hash)
    emails.password_changed(user)
    db.session.commit()


def _register(address: str, password_hash: str, next_url: str | None, browser: str) -> None:
    user = find_to_change(address)
    if user is not None and user.has_confirmed_email:
        emails.account_exists(user, next_url)
        change_nothing()
        return
    is_new = user is None
    if user is None:
        user = User(email=address)
        db.session.add(user)
    user.set_password_hash(password_hash)
    user.confirmation_browser = _digest(browser) if browser else None
    db.session.flush()
    emails.confirm_address(user, next_url)
    db.session.commit()
    if is_new:
        signals.tell(signals.user_registered, user)


def _digest(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()


def _rehash(user_id: int, old_hash: str, password: str) -> None:
    new_hash = passwords.hash_password(password)
    start_write()
    same = (User.id == user_id, User.password_hash == old_hash)
    db.session.execute(update(User).where(*same).values(password_hash=new_hash))
    db.session.commit()
