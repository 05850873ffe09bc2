"""Bring our copy in line with Polar: the catalogue, or everything about one customer.

This is the way back from any loss: what a webhook did not tell, a read does.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from saas.accounts.models import User
from saas.billing import gateway, sync
from saas.billing.gateway import Answer
from saas.billing.payload import PayloadError
from saas.extensions import db, start_write

log = logging.getLogger(__name__)

Put = Callable[[object, datetime], object]


def refresh_catalogue() -> int:
    """Read all products from Polar and keep them. Returns how many. Raises ``gateway.PolarError``."""
    answers = list(gateway.products())
    start_write()
    kept = _put_all(sync.put_product, answers)
    db.session.commit()
    return kept


def pull_user(user: User) -> bool:
    """Read what Polar knows about a user and keep it. Returns false when Polar does not know them.

    Nothing is written before everything is read, and no lock is held over the network.
    Raises ``gateway.PolarError``.
    """
    customer = gateway.customer_by_external_id(user.public_id)
    if customer is None:
        return False
    polar_id = str(customer.data.get("id"))
    read: list[tuple[Put, list[Answer]]] = [
        (sync.put_customer, [customer]),
        (sync.put_subscription, list(gateway.customer_subscriptions(polar_id))),
        (sync.put_order, list(gateway.customer_orders(polar_id))),
        (sync.put_grant, list(gateway.customer_grants(polar_id))),
    ]
    start_write()
    for put, answers in read:
        _put_all(put, answers)
    db.session.commit()
    return True


def _put_all(put: Put, answers: Iterable[Answer]) -> int:
    """Keep each object; one that cannot be read is logged and does not hold up the others."""
    kept = 0
    for answer in answers:
        try:
            put(answer.data, answer.observed_at)
            kept += 1
        except PayloadError as error:
            log.error("polar: an object could not be kept: %s", error)
    return kept
