"""E-mail addresses: one spelling for each mailbox."""

from typing import cast

from saas.accounts.errors import InvalidAddress


def normalise(text: str) -> str:
    """Return the address as it is stored and compared: ASCII, lower case, no blanks around it.

    The domain is written in its ASCII form, so that look-alike letters do not reach the same row.
    Names before the @ are ASCII only: few servers take others, and folding their case can turn one
    mailbox into another. Domains under ``.test`` are let through for developers; mail to them goes
    nowhere. No DNS is asked. Raises ``InvalidAddress``.
    """
    from email_validator import EmailNotValidError, validate_email  # Slow to load, seldom used.

    try:
        address = validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except EmailNotValidError as error:
        raise InvalidAddress from error
    return cast(str, address.ascii_email).casefold()  # Without SMTPUTF8 there always is one.
