"""Expected trouble with accounts, each with its status and its sentence."""

from http import HTTPStatus

from saas.errors import AppError


class InvalidAddress(AppError):
    """The text is not an e-mail address that mail can be sent to."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid_email"
    message = "This is not a complete e-mail address. It looks like name@example.com."


class SignInRefused(AppError):
    """Unknown or unconfirmed address or wrong password: one sentence, so that none is told."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "sign_in_refused"
    message = "Address and password do not match, or the address is not confirmed yet."


class WrongPassword(AppError):
    """The current password, asked for again, is not right."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "wrong_password"
    message = "This is not your current password."


class NotYourPassword(AppError):
    """The link was asked for with another password than the one typed now."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "not_your_password"
    message = "The account was not asked for with this password. Try again, or choose a new one."


class LinkExpired(AppError):
    """A mailed link was used, replaced by a newer one, too old, or never ours."""

    status = HTTPStatus.GONE
    code = "link_expired"
    message = "This link does not work any more."
