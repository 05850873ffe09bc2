"""The end of a customer: before an account is deleted, Polar stops charging and forgets the person."""

from datetime import datetime
from typing import Any

from saas.accounts.models import User
from saas.billing import gateway, sync
from saas.billing.gateway import PolarNotFound, PolarRejected
from saas.extensions import db, start_write


def on_user_deleting(user: User) -> None:
    """End the subscriptions of a user and delete the customer at Polar.

    Safe to repeat. Raises ``gateway.PolarError`` when Polar does not do it, and then the account stays.
    """
    customer = gateway.customer_by_external_id(user.public_id)
    if customer is None:
        return
    polar_id = str(customer.data["id"])
    for subscription in gateway.customer_subscriptions(polar_id):
        if subscription.data.get("ended_at") is None:
            _revoke(str(subscription.data["id"]))
    try:
        deleted_at = gateway.delete_customer(polar_id).observed_at
    except PolarNotFound:
        return  # Somebody else deleted it in this moment; its event tells the rest.
    _note_deleted(customer.data, deleted_at)


def _revoke(subscription_id: str) -> None:
    try:
        gateway.revoke_subscription(subscription_id)
    except PolarRejected:  # It ended in this moment, or the deletion ends it.
        return


def _note_deleted(customer: dict[str, Any], deleted_at: datetime) -> None:
    """Keep the customer as deleted; Polar's own event says the same in a moment."""
    start_write()
    gone = {"deleted_at": deleted_at.isoformat(), "external_id": None}
    sync.put_customer(customer | gone, deleted_at)
    db.session.commit()
