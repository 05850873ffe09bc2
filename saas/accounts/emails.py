"""The mails of accounts: asked for here, in the transaction that they tell of, and sent by a job.

Each goes to the address it is about: only its owner learns what it says. Asking costs the same for every
mail, and what a mail needs to be written (``letters``) is done where nobody waits.
"""

from saas.accounts.models import User
from saas.jobs import enqueue

CONFIRM_ADDRESS = "accounts.confirm_address"
ACCOUNT_EXISTS = "accounts.account_exists"
NO_ACCOUNT = "accounts.no_account"
RESET_PASSWORD = "accounts.reset_password"  # noqa: S105 - a name
PASSWORD_CHANGED = "accounts.password_changed"  # noqa: S105 - a name
CONFIRM_NEW_ADDRESS = "accounts.confirm_new_address"
ADDRESS_CHANGED = "accounts.address_changed"


def confirm_address(user: User, next_url: str | None) -> None:
    """Ask the owner of the address to confirm it. Earlier links end now."""
    user.confirmation_nonce = None
    enqueue(CONFIRM_ADDRESS, user_id=user.id, next_url=next_url)


def account_exists(user: User, next_url: str | None) -> None:
    """Tell the owner of a confirmed address, who asked for an account, that there is one."""
    enqueue(ACCOUNT_EXISTS, user_id=user.id, next_url=next_url)


def no_account(email: str, next_url: str | None) -> None:
    """Tell the owner of an address, who asked for a link, that there is no account for it."""
    enqueue(NO_ACCOUNT, recipient=email, next_url=next_url)


def reset_password(user: User, next_url: str | None) -> None:
    """Give the owner of the account the way to a new password. Earlier links end now."""
    user.reset_nonce = None
    enqueue(RESET_PASSWORD, user_id=user.id, next_url=next_url)


def password_changed(user: User) -> None:
    """Tell the owner of the account that its password has changed, in case it was not them."""
    enqueue(PASSWORD_CHANGED, user_id=user.id)


def confirm_new_address(user: User, email: str) -> None:
    """Ask the owner of the new address to confirm it."""
    enqueue(CONFIRM_NEW_ADDRESS, user_id=user.id, recipient=email)


def address_changed(user: User, old: str) -> None:
    """Tell the old address that the account has another one now, in case it was not them."""
    enqueue(ADDRESS_CHANGED, user_id=user.id, recipient=old)
