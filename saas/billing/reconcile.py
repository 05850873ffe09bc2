"""Bring our copy in line with Polar: the catalogue, or everything about one customer.

This is the way back from any loss: what a webhook did not tell, a read does. ``survey`` does it for
everybody at once.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select

from saas.accounts.models import User
from saas.billing import differences, gateway, store, sync
from saas.billing.differences import Difference, unreadable
from saas.billing.gateway import Answer, PolarNotFound
from saas.billing.models import Customer, Grant, Order, Product, Snapshot, Subscription
from saas.billing.payload import PayloadError
from saas.billing.rehearsal import Rehearsal
from saas.extensions import db, start_write

log = logging.getLogger(__name__)

Put = Callable[[object, datetime], object]
PUTS: dict[type[Snapshot], Put] = {
    Customer: sync.put_customer,
    Subscription: sync.put_subscription,
    Order: sync.put_order,
    Grant: sync.put_grant,
}


@dataclass
class Reading:
    """Everything that Polar showed about one user, by model. Nothing of it is written yet."""

    answers: dict[type[Snapshot], list[Answer]] = field(
        default_factory=lambda: {model: [] for model in PUTS}
    )

    @property
    def is_empty(self) -> bool:
        """True when Polar does not know the user."""
        return not any(self.answers.values())


def refresh_catalogue() -> int:
    """Read all products from Polar and keep them. Returns how many. Raises ``gateway.PolarError``."""
    return keep_catalogue(list(gateway.products()))


def keep_catalogue(answers: list[Answer]) -> int:
    """Write the products that were read, which must be all. Returns how many could be kept.

    One that we have and Polar does not is not for sale any more: the organisation is another one, or
    the local Polar was reset.
    """
    start_write()
    with store.gathering() as gathered:
        kept = keep_all(sync.put_product, answers)
    gathered.write()
    shown = {str(answer.data.get("id")) for answer in answers}
    for product in db.session.scalars(select(Product).where(Product.is_archived.is_(False))):
        if product.polar_id not in shown:
            product.is_archived = True
    db.session.commit()
    return kept


def pull_user(user: User) -> bool:
    """Read what Polar knows about a user and keep it. Returns false when Polar does not know them.

    Raises ``gateway.PolarError``; nothing is changed then.
    """
    reading = read_user(user)
    keep(reading)
    return not reading.is_empty


def read_user(user: User) -> Reading:
    """Read a user's customers and what belongs to them. Writes nothing and holds no lock.

    Usually there is one customer. One that was deleted at Polar has lost our id, so the ones that we
    know to be this user's are asked for, too, as long as something of theirs may still change.
    """
    reading = Reading()
    stored = customers_of(user)
    customer = gateway.customer_by_external_id(user.public_id)
    if customer is not None:
        reading.answers[Customer].append(customer)
        stored.discard(str(customer.data.get("id")))
    for polar_id in stored:
        try:
            reading.answers[Customer].append(gateway.customer(polar_id))
        except PolarNotFound:
            log.info("polar: customer %s is gone; reading what it left", polar_id)
    for polar_id in [*stored, *([str(customer.data.get("id"))] if customer else [])]:
        reading.answers[Subscription] += gateway.customer_subscriptions(polar_id)
        reading.answers[Order] += gateway.customer_orders(polar_id)
        reading.answers[Grant] += gateway.customer_grants(polar_id)
    return reading


def customers_of(user: User) -> set[str]:
    """Return the customers that are this user's here, without deleted ones that have nothing to change.

    What was paid can be refunded after its customer was deleted.
    """
    alive = or_(
        Customer.deleted_at.is_(None),
        select(Subscription.polar_id)
        .where(Subscription.customer_id == Customer.polar_id, Subscription.ended_at.is_(None))
        .exists(),
        select(Grant.polar_id)
        .where(Grant.customer_id == Customer.polar_id, Grant.is_granted)
        .exists(),
        select(Order.polar_id).where(Order.customer_id == Customer.polar_id).exists(),
    )
    found = set(
        db.session.scalars(select(Customer.polar_id).where(Customer.user_id == user.id, alive))
    )
    db.session.rollback()
    return found


def keep(reading: Reading, rehearsal: Rehearsal | None = None) -> list[Difference]:
    """Write a reading in one transaction and return what was different, or could not be read."""
    with store.gathering() as gathered:
        unread = [
            unreadable(model, str(answer.data.get("id")), problem)
            for model, answers in reading.answers.items()
            for answer in answers
            if (problem := _put(PUTS[model], answer))
        ]
    start_write()
    return differences.write(gathered, rehearsal) + unread


def keep_all(put: Put, answers: Iterable[Answer]) -> int:
    """Keep each object; one that cannot be read is logged and does not hold up the others."""
    return sum(not _put(put, answer) for answer in answers)


def _put(put: Put, answer: Answer) -> str:
    """Keep an object. Returns what is wrong with it, if it cannot be read."""
    try:
        put(answer.data, answer.observed_at)
    except PayloadError as error:
        log.error("polar: an object could not be kept: %s", error)
        return str(error)
    return ""
