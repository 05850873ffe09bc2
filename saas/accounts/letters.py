"""The jobs that write and send the mails of accounts. A link is made here, so that no token is ever kept.

When a mail is tried again, its link is the one of the first try, which may have arrived after all.
"""

from collections.abc import Callable

from saas.accounts import emails, links
from saas.accounts.models import User
from saas.extensions import db, start_write
from saas.jobs import handler
from saas.mail import link, send


@handler(emails.CONFIRM_ADDRESS)
def confirm_address(user_id: int, next_url: str | None) -> None:
    """Send the link that confirms an address, unless it is confirmed by now."""
    made = _with_link(user_id, lambda user: links.confirmation(user, next_url))
    if made is not None:
        email, url = made
        send("confirm_address", email, email=email, url=url)


@handler(emails.RESET_PASSWORD)
def reset_password(user_id: int, next_url: str | None) -> None:
    """Send the link to a new password."""
    made = _with_link(user_id, lambda user: links.reset(user, next_url))
    if made is not None:
        email, url = made
        send("reset_password", email, email=email, url=url)


@handler(emails.CONFIRM_NEW_ADDRESS)
def confirm_new_address(user_id: int, recipient: str) -> None:
    """Send the link that gives an account another address."""
    made = _with_link(user_id, lambda user: links.new_address(user, recipient))
    if made is not None:
        send("confirm_new_address", recipient, email=recipient, url=made[1])


@handler(emails.ACCOUNT_EXISTS)
def account_exists(user_id: int, next_url: str | None) -> None:
    """Send the way in to somebody who has an account."""
    if email := _address(user_id):
        send(
            "account_exists",
            email,
            email=email,
            login_url=link("accounts.login", next=next_url),
            reset_url=link("accounts.password_request", next=next_url),
        )


@handler(emails.NO_ACCOUNT)
def no_account(recipient: str, next_url: str | None) -> None:
    """Send the way to an account to somebody who has none."""
    signup_url = link("accounts.signup", next=next_url)
    send("no_account", recipient, email=recipient, signup_url=signup_url)


@handler(emails.PASSWORD_CHANGED)
def password_changed(user_id: int) -> None:
    """Send the news of a new password."""
    if email := _address(user_id):
        reset_url = link("accounts.password_request")
        send("password_changed", email, email=email, reset_url=reset_url)


@handler(emails.ADDRESS_CHANGED)
def address_changed(user_id: int, recipient: str) -> None:
    """Send the news of another address to the old one."""
    if email := _address(user_id):
        send("address_changed", recipient, email=recipient, new=email)


def _with_link(user_id: int, make: Callable[[User], str | None]) -> tuple[str, str] | None:
    """Return the address of a user and a link for them; ``None`` when there is no use for it any more."""
    start_write()
    user = db.session.get(User, user_id, with_for_update=True)
    url = make(user) if user is not None else None
    email = user.email if user is not None else ""
    db.session.commit()
    return (email, url) if url is not None else None


def _address(user_id: int) -> str | None:
    """Return the address of a user, unless the account was deleted meanwhile."""
    user = db.session.get(User, user_id)
    email = user.email if user is not None else None
    db.session.rollback()  # Nobody holds on to the database while a mail server thinks.
    return email
