"""What was bought for an account that is gone: Polar charges for it, and nobody here has it.

A checkout that was open in a tab can still be paid after its account was deleted, since Polar has no call
that closes one. Only a person can end it and give the money back.
"""

from dataclasses import dataclass

from sqlalchemy import select

from saas.billing.models import Customer, Order, Subscription
from saas.extensions import db

RUNNING = ("active", "trialing", "past_due", "paused")
MOST = 100  # Nobody acts differently on more.


@dataclass(frozen=True)
class Orphan:
    """A subscription or a one-time purchase of a customer whom Polar has deleted."""

    kind: str
    polar_id: str
    customer_id: str

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.kind} {self.polar_id} was bought for an account that is not here any more "
            f"(customer {self.customer_id}). End and refund it at Polar."
        )


def found() -> list[Orphan]:
    """Return what runs, or was paid once, for a customer who was deleted before and has no account here."""
    gone = (Customer.user_id.is_(None), Customer.deleted_at.is_not(None))
    running = (
        select(Subscription.polar_id, Subscription.customer_id)
        .join(Customer, Customer.polar_id == Subscription.customer_id)
        .where(*gone, Subscription.status.in_(RUNNING))
    )
    paid = (
        select(Order.polar_id, Order.customer_id)
        .join(Customer, Customer.polar_id == Order.customer_id)
        .where(*gone, Order.status == "paid", Order.billing_reason == "purchase")
        .where(Order.created_at > Customer.deleted_at)
    )
    return [
        Orphan(kind, *row)
        for kind, query in (("subscription", running), ("order", paid))
        for row in db.session.execute(query.limit(MOST))
    ]
