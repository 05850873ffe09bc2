"""The only caller of Polar. Raw JSON goes out and in; what goes wrong becomes *try again* or *never*.

The official SDK is the HTTP client (address, token, version header), but its typed answers are not
used: they refuse a whole answer for one new enum value, also after the call has taken effect.

Here stands every call that the application makes, by subject; ``wire`` makes them, ``reading`` says what an
answer means, ``client`` holds the SDK.
"""

from collections.abc import Iterator
from urllib.parse import quote

from saas.billing.gateway.client import API_VERSION, accepts_us
from saas.billing.gateway.errors import (
    PaymentDeclined,
    PolarError,
    PolarNotFound,
    PolarRejected,
    PolarScopeMissing,
    PolarUnauthorized,
    PolarUnavailable,
)
from saas.billing.gateway.wire import Answer, Page, call, page, pages

__all__ = [
    "API_VERSION",
    "Answer",
    "Page",
    "PaymentDeclined",
    "PolarError",
    "PolarNotFound",
    "PolarRejected",
    "PolarScopeMissing",
    "PolarUnauthorized",
    "PolarUnavailable",
    "accepts_us",
    "call",
    "page",
    "pages",
]


def products() -> Iterator[Answer]:
    """Yield every product of the organisation, archived ones included."""
    return pages("/v1/products/")


def product(polar_id: str) -> Answer:
    """Return a product as it is sold now. Raises ``PolarNotFound``."""
    return call("GET", f"/v1/products/{quote(polar_id, safe='')}")


def customer_by_external_id(external_id: str) -> Answer | None:
    """Return the customer that carries our id, or ``None``."""
    try:
        return call("GET", f"/v1/customers/external/{quote(external_id, safe='')}")
    except PolarNotFound:
        return None


def customer(polar_id: str) -> Answer:
    """Return a customer by Polar's own id. Raises ``PolarNotFound``, also when it was deleted."""
    return call("GET", f"/v1/customers/{quote(polar_id, safe='')}")


def customers_by_email(address: str) -> list[Answer]:
    """Return the customers with exactly this address; there is at most one."""
    return list(pages("/v1/customers/", {"email": address}))


def create_customer(external_id: str, address: str) -> Answer:
    """Create a customer. Raises ``PolarRejected`` when address or id are taken."""
    return call("POST", "/v1/customers/", body={"external_id": external_id, "email": address})


def update_customer(polar_id: str, **changes: object) -> Answer:
    """Change fields of a customer, such as ``external_id`` (once) or ``email``."""
    return call("PATCH", f"/v1/customers/{quote(polar_id, safe='')}", body=changes)


def delete_customer(polar_id: str) -> Answer:
    """Delete a customer and what is personal about it; its subscriptions end at once.

    The answer is empty. Raises ``PolarNotFound``.
    """
    path = f"/v1/customers/{quote(polar_id, safe='')}"
    return call("DELETE", path, query={"anonymize": "true"})


def customer_subscriptions(polar_id: str) -> Iterator[Answer]:
    """Yield every subscription of a customer, whatever its status."""
    return pages("/v1/subscriptions/", {"customer_id": polar_id})


def customer_orders(polar_id: str) -> Iterator[Answer]:
    """Yield every order of a customer."""
    return pages("/v1/orders/", {"customer_id": polar_id})


def customer_grants(polar_id: str) -> Iterator[Answer]:
    """Yield every benefit grant of a customer, revoked ones included."""
    return pages("/v1/benefit-grants/", {"customer_id": polar_id})


def create_checkout(**fields: object) -> Answer:
    """Create a checkout; the answer's ``url`` is where the customer pays."""
    return call("POST", "/v1/checkouts/", body=fields)


def checkouts_going_on(customer_id: str) -> Iterator[Answer]:
    """Yield the checkouts of a customer that are open, or paid and being processed."""
    return pages("/v1/checkouts/", {"customer_id": customer_id, "status": ["open", "confirmed"]})


def update_checkout(polar_id: str, **changes: object) -> Answer:
    """Change an open checkout. Raises ``PolarRejected`` when it is not open any more."""
    return call("PATCH", f"/v1/checkouts/{quote(polar_id, safe='')}", body=changes)


def checkout(polar_id: str) -> Answer:
    """Return a checkout. Raises ``PolarNotFound``."""
    return call("GET", f"/v1/checkouts/{quote(polar_id, safe='')}")


def create_customer_session(return_url: str, **whose: str) -> Answer:
    """Create a session for the customer portal; the answer's ``customer_portal_url`` works for an hour.

    ``whose`` is ``external_customer_id``, which is ours, or Polar's own ``customer_id``.
    """
    return call("POST", "/v1/customer-sessions/", body={**whose, "return_url": return_url})


def subscription(polar_id: str) -> Answer:
    """Return a subscription as it stands now. Raises ``PolarNotFound``."""
    return call("GET", f"/v1/subscriptions/{quote(polar_id, safe='')}")


def update_subscription(polar_id: str, **changes: object) -> Answer:
    """Change a subscription: plan, cancellation, pause. Raises ``PaymentDeclined``, ``PolarRejected``."""
    return call("PATCH", f"/v1/subscriptions/{quote(polar_id, safe='')}", body=changes)


def revoke_subscription(polar_id: str) -> Answer:
    """End a subscription at once. Raises ``PolarRejected`` when it has ended already."""
    return call("DELETE", f"/v1/subscriptions/{quote(polar_id, safe='')}")


def invoice(order_id: str) -> Answer:
    """Return the ``url`` of an order's invoice. Raises ``PolarNotFound`` until there is one."""
    return call("GET", f"/v1/orders/{quote(order_id, safe='')}/invoice")


def generate_invoice(order_id: str) -> None:
    """Have the invoice of an order made; it is there some seconds later."""
    call("POST", f"/v1/orders/{quote(order_id, safe='')}/invoice")
