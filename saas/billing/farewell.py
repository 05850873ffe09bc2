"""The end of a customer: before an account is deleted, Polar stops charging and forgets the person."""

from datetime import datetime
from typing import Any

from saas.accounts.models import User
from saas.billing import claims, gateway, reconcile, sync, turns
from saas.billing.gateway import Answer, PolarError, PolarNotFound, PolarRejected
from saas.extensions import db, start_write

ENDED = "Your subscription has ended already, and nothing more is charged."


def on_user_deleting(user: User) -> None:
    """End what a user has at Polar, also what they bought by link, and delete the customer there.

    Safe to repeat. Raises ``turns.CheckoutInPreparation``, or ``gateway.PolarError`` when Polar does not do
    it, and then the account stays; what has ended by then is kept and said.
    """
    user_id = user.id
    with turns.last(user_id):
        _end_all(db.session.get_one(User, user_id))


def _end_all(user: User) -> None:
    user_id, public_id = user.id, user.public_id
    claims.claim(user, asking=True)
    known = reconcile.customers_of(db.session.get_one(User, user_id))
    customer = gateway.customer_by_external_id(public_id)
    ids = known | ({str(customer.data["id"])} if customer else set())
    ended: list[Answer] = []
    try:
        for polar_id in sorted(ids):
            _end(polar_id, ended)
    except PolarError as error:
        if ended:
            error.message = f"{ENDED} {error.message}"
        raise
    finally:
        if ended:
            _note_ended(ended)


def _end(polar_id: str, ended: list[Answer]) -> None:
    """End what a customer has, one after the other whatever is gone already, then the customer."""
    for subscription in gateway.customer_subscriptions(polar_id):
        if subscription.data.get("ended_at") is None:
            ended += _revoke(str(subscription.data["id"]))
    try:
        customer = gateway.customer(polar_id)
        deleted_at = gateway.delete_customer(polar_id).observed_at
    except PolarNotFound:
        return  # It was deleted before, or in this moment; its event tells the rest.
    _note_deleted(customer.data, deleted_at)


def _revoke(subscription_id: str) -> list[Answer]:
    try:
        return [gateway.revoke_subscription(subscription_id)]
    except (PolarRejected, PolarNotFound):  # It ended in this moment, or the deletion ends it.
        return []


def _note_ended(subscriptions: list[Answer]) -> None:
    start_write()
    reconcile.keep_all(sync.put_subscription, subscriptions)
    db.session.commit()


def _note_deleted(customer: dict[str, Any], deleted_at: datetime) -> None:
    """Keep the customer as deleted; Polar's own event says the same in a moment."""
    start_write()
    gone = {"deleted_at": deleted_at.isoformat(), "external_id": None}
    reconcile.keep_all(sync.put_customer, [Answer(customer | gone, deleted_at)])
    db.session.commit()
