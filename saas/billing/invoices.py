"""Invoices, made by Polar when somebody asks for one. That takes a few seconds, so pages wait for it."""

from http import HTTPStatus

from saas.accounts.models import User
from saas.billing import gateway, payments
from saas.billing.gateway import PolarNotFound, PolarRejected
from saas.errors import AppError


class UnknownOrder(AppError):
    """There is no such payment, or it is somebody else's; we do not tell which."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_order"
    message = "We do not know this payment."


class InvoiceRefused(AppError):
    """Polar makes no invoice, mostly because a name or an address is missing."""

    status = HTTPStatus.CONFLICT
    code = "invoice_refused"
    message = (
        "There is no invoice for this payment yet. Add your name and address under Manage "
        "subscription, then ask again."
    )


def ask(user: User, order_id: str) -> None:
    """Have the invoice of an order made. Raises ``UnknownOrder``, ``InvoiceRefused`` or ``PolarError``."""
    _require_own(user, order_id)
    try:
        gateway.generate_invoice(order_id)
    except PolarNotFound:
        raise UnknownOrder from None
    except PolarRejected:
        raise InvoiceRefused from None


def address(user: User, order_id: str) -> str | None:
    """Return where the invoice is, or ``None`` while it is not ready.

    Raises ``UnknownOrder`` or ``gateway.PolarError``.
    """
    _require_own(user, order_id)
    try:
        url = gateway.invoice(order_id).data.get("url")
    except PolarNotFound:
        return None
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise PolarRejected("invoice without a usable address")
    return url


def _require_own(user: User, order_id: str) -> None:
    if payments.order_of(user, order_id) is None:
        raise UnknownOrder
