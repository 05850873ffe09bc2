"""Expected trouble: each error with the status and the body that Polar was recorded to send."""

from __future__ import annotations

from typing import Any

Problem = dict[str, Any]


class ApiError(Exception):
    """An answer that is no success. `keeps` commits what happened before it was raised."""

    status = 400
    keeps = False

    def __init__(self, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(str(body))
        self.body = body
        self.headers = headers or {}


class NamedError(ApiError):
    """An error with a name and one sentence."""

    name = "BadRequest"
    sentence = "Bad request"

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__({"error": self.name, "detail": sentence or self.sentence})


class BadRequest(NamedError):
    """400, as for taking back a cancellation that never was."""


class NotFound(NamedError):
    """404 for an object that does not exist."""

    status = 404
    name = "ResourceNotFound"
    sentence = "Not found"


class InvoiceDoesNotExist(NamedError):
    """404 for an invoice that was never generated."""

    status = 404
    name = "InvoiceDoesNotExist"


class OrderNotEligibleForInvoice(NamedError):
    """409 for an invoice of an order that nobody has paid."""

    status = 409
    name = "OrderNotEligibleForInvoice"
    sentence = "This order is not eligible for an invoice."


class AlreadyActiveSubscription(NamedError):
    """403 on confirming a checkout for a second subscription."""

    status = 403
    name = "AlreadyActiveSubscriptionError"
    sentence = "You already have an active subscription."


class AlreadyCanceledSubscription(NamedError):
    """403 on cancelling twice."""

    status = 403
    name = "AlreadyCanceledSubscription"
    sentence = "This subscription is already canceled or will be at the end of the period."


class NotOpenCheckout(NamedError):
    """403 on confirming a checkout that is confirmed or done."""

    status = 403
    name = "NotOpenCheckout"
    sentence = "Checkout is not open."


class ExpiredCheckout(NamedError):
    """410 on confirming a checkout that has expired."""

    status = 410
    name = "ExpiredCheckoutError"
    sentence = "This checkout session has expired."


class PaymentError(NamedError):
    """400 when the card of a checkout is declined. The checkout is open again."""

    keeps = True
    name = "PaymentError"
    sentence = (
        "The payment failed: Your card was declined. "
        "Please try again with a different payment method."
    )


class PaymentFailed(NamedError):
    """402 when a plan change cannot be charged."""

    status = 402
    name = "PaymentFailed"
    sentence = "Payment failed with reason: card_error."


class TrialAlreadyRedeemed(NamedError):
    """403 on confirming a second trial when the organisation prevents that."""

    status = 403
    name = "TrialAlreadyRedeemed"
    sentence = (
        "You have already used a trial for this product. Trials can only be used once per customer."
    )


class DiscountLimitReached(NamedError):
    """403 on confirming a checkout with a discount that has been used up meanwhile."""

    status = 403
    name = "DiscountRedemptionLimitReached"
    sentence = "Discount redemption limit has been reached."


class RefundedAlready(NamedError):
    """403 for refunding an order of which nothing is left."""

    status = 403
    name = "RefundedAlready"


class RevokeProhibited(NamedError):
    """400 for revoking the benefits of a subscription by a refund."""

    name = "RevokeSubscriptionBenefitsProhibited"
    sentence = "Subscription benefits can only be revoked upon cancellation"


class InactiveSubscription(NamedError):
    """403 for changing a subscription that does not run."""

    status = 403
    name = "InactiveSubscription"
    sentence = "This subscription is not active."


class SchemaError(ApiError):
    """422 for a request that has the wrong form."""

    status = 422

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__({"error": "RequestValidationError", "detail": problems})
        self.problems = problems


class RuleError(ApiError):
    """422 for a request that has the right form and asks for something impossible."""

    status = 422

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__({"error": "PolarRequestValidationError", "detail": problems})
        self.problems = problems


def impossible(field: str | tuple[str | int, ...], message: str, given: Any) -> RuleError:
    """A RuleError about one field of the body."""
    where = (field,) if isinstance(field, str) else field
    return RuleError([problem("value_error", ("body", *where), message, given)])


def problem(
    kind: str, where: tuple[str | int, ...], message: str, given: Any, **more: Any
) -> Problem:
    """One entry of a 422 body; `more` becomes its `ctx`."""
    entry: Problem = {"type": kind, "loc": list(where), "msg": message, "input": given}
    return {**entry, "ctx": more} if more else entry
