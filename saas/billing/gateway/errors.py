"""What can go wrong with a call to Polar, told by what the caller can do about it."""

from http import HTTPStatus
from typing import Any, ClassVar

from saas.errors import AppError


class PolarError(AppError):
    """Parent of what can go wrong with a call.

    ``detail`` is for the log, so it quotes nothing of a body. ``explained`` has Polar's own words as well,
    which may repeat what was sent: for the terminal of who gave the command.
    """

    status: ClassVar[int] = HTTPStatus.BAD_GATEWAY
    code = "polar_error"
    message = "Our payment provider gave an answer we could not use. Please try again later."

    def __init__(
        self, detail: str = "", *, errors: list[dict[str, Any]] | None = None, words: str = ""
    ) -> None:
        super().__init__()
        self.detail = detail
        self.errors = errors or []
        self.explained = f"{detail}: {words}" if words else detail

    def complains_about(self, *location: str) -> bool:
        """True when the answer names this field, such as ``("body", "email")``."""
        return any(error.get("loc") == list(location) for error in self.errors)

    def complains_of_field(self, name: str) -> bool:
        """True when the answer names a field, in whichever variant of the body Polar looked for it."""
        return any((error.get("loc") or [None])[-1] == name for error in self.errors)


class PolarUnavailable(PolarError):
    """Polar did not answer, or asked us to wait. Trying again later makes sense.

    ``may_be_done`` says that a change was on its way, so that nobody knows whether it was made.
    """

    status: ClassVar[int] = HTTPStatus.SERVICE_UNAVAILABLE
    code = "polar_unavailable"
    message = (
        "Our payment provider does not answer at the moment. Please try again in a few minutes."
    )

    def __init__(
        self,
        detail: str = "",
        *,
        retry_after: int | None = None,
        may_be_done: bool = False,
        words: str = "",
    ) -> None:
        super().__init__(detail, words=words)
        self.retry_after = retry_after
        self.may_be_done = may_be_done


class PolarUnauthorized(PolarError):
    """The token is wrong, expired, for the other environment, or lacks a scope."""

    code = "polar_unauthorized"
    message = (
        "Payments are not set up correctly on our side. We have noted it; "
        "please try again later or write to us."
    )


class PolarScopeMissing(PolarUnauthorized):
    """The token is good, and may not do this."""


class PolarNotFound(PolarError):
    """Polar knows no such object."""


class PolarRejected(PolarError):
    """Polar understood and refused; the same call will be refused again."""


class PaymentDeclined(PolarRejected):
    """The customer's card was refused, so Polar changed nothing."""

    status: ClassVar[int] = HTTPStatus.PAYMENT_REQUIRED
    code = "payment_declined"
    message = (
        "Your card was declined, so nothing has changed. Update it under Manage subscription, "
        "then try again."
    )
