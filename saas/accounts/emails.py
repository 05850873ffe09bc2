"""The mails of accounts. Each goes to the address it is about: only its owner learns what it says."""

from saas.mail import link, send


def confirm_address(email: str, url: str) -> None:
    """Ask the owner of the address to confirm it."""
    send("confirm_address", email, email=email, url=url)


def account_exists(email: str, next_url: str | None) -> None:
    """Tell the owner of a confirmed address, who asked for an account, that there is one."""
    send(
        "account_exists",
        email,
        email=email,
        login_url=link("accounts.login", next=next_url),
        reset_url=link("accounts.password_request", next=next_url),
    )


def no_account(email: str, next_url: str | None) -> None:
    """Tell the owner of an address, who asked for a link, that there is no account for it."""
    send("no_account", email, email=email, signup_url=link("accounts.signup", next=next_url))


def reset_password(email: str, url: str) -> None:
    """Give the owner of the account the way to a new password."""
    send("reset_password", email, email=email, url=url)


def password_changed(email: str) -> None:
    """Tell the owner of the account that its password has changed, in case it was not them."""
    send("password_changed", email, email=email, reset_url=link("accounts.password_request"))


def confirm_new_address(email: str, url: str) -> None:
    """Ask the owner of the new address to confirm it."""
    send("confirm_new_address", email, email=email, url=url)


def address_changed(old: str, new: str) -> None:
    """Tell the old address that the account has another one now, in case it was not them."""
    send("address_changed", old, email=old, new=new)
