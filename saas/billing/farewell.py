"""The end of a customer: before an account is deleted, Polar stops charging and forgets the person."""

from datetime import datetime
from typing import Any

from saas.accounts.models import User
from saas.billing import gateway, reconcile, sync
from saas.billing.gateway import Answer, PolarError, PolarNotFound, PolarRejected
from saas.extensions import db, start_write

ENDED = "Your subscription has ended already, and nothing more is charged."


def on_user_deleting(user: User) -> None:
    """End the subscriptions of a user and delete the customer at Polar.

    Safe to repeat. Raises ``gateway.PolarError`` when Polar does not do it, and then the account stays;
    what has ended by then is kept and said.
    """
    customer = gateway.customer_by_external_id(user.public_id)
    if customer is None:
        return
    polar_id = str(customer.data["id"])
    ended: list[Answer] = []
    try:
        for subscription in gateway.customer_subscriptions(polar_id):
            if subscription.data.get("ended_at") is None:
                ended += _revoke(str(subscription.data["id"]))
        deleted_at = gateway.delete_customer(polar_id).observed_at
    except PolarNotFound:
        return  # Somebody else deleted it in this moment; its event tells the rest.
    except PolarError as error:
        if ended:
            _note_ended(ended)
            error.message = f"{ENDED} {error.message}"
        raise
    _note_deleted(customer.data, deleted_at)


def _revoke(subscription_id: str) -> list[Answer]:
    try:
        return [gateway.revoke_subscription(subscription_id)]
    except PolarRejected:  # It ended in this moment, or the deletion ends it.
        return []


def _note_ended(subscriptions: list[Answer]) -> None:
    start_write()
    reconcile.keep_all(sync.put_subscription, subscriptions)
    db.session.commit()


def _note_deleted(customer: dict[str, Any], deleted_at: datetime) -> None:
    """Keep the customer as deleted; Polar's own event says the same in a moment."""
    start_write()
    gone = {"deleted_at": deleted_at.isoformat(), "external_id": None}
    sync.put_customer(customer | gone, deleted_at)
    db.session.commit()
