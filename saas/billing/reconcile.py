"""Bring our copy in line with Polar: the catalogue, or everything about one customer.

This is the way back from any loss: what a webhook did not tell, a read does. ``survey`` does it for
everybody at once.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import inspect, or_, select

from saas.accounts.models import User
from saas.billing import differences, gateway, store, sync
from saas.billing.differences import Difference, unreadable
from saas.billing.gateway import Answer, PolarNotFound, PolarRejected
from saas.billing.models import Customer, Grant, Order, Product, Snapshot, Subscription
from saas.billing.payload import PayloadError
from saas.billing.rehearsal import Rehearsal
from saas.extensions import db, settled, start_write
from saas.kit.datetimes import utcnow

log = logging.getLogger(__name__)

Put = Callable[[object, datetime], object]
PUTS: dict[type[Snapshot], Put] = {
    Customer: sync.put_customer,
    Product: sync.put_product,
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
    answers = list(gateway.products())
    return len(answers) - sum(bool(each.problem) for each in keep_catalogue(answers))


def keep_catalogue(answers: list[Answer], rehearsal: Rehearsal | None = None) -> list[Difference]:
    """Write the products that were read, which must be all. Returns what was different, as ``keep`` does.

    One that we had and Polar does not is not for sale any more: the organisation is another one, or
    the local Polar was reset. One of which an event came while they were read may be newer than the list.
    """
    read_at = min((answer.observed_at for answer in answers), default=utcnow())
    with store.gathering() as gathered:
        unread = _unread(Product, sync.put_product, answers)
        for values in _gone({str(answer.data.get("id")) for answer in answers}, read_at):
            store.keep_newer(Product, values | {"is_archived": True})
    return _write(gathered, rehearsal) + unread


def _gone(shown: set[str], read_at: datetime) -> list[dict[str, Any]]:
    """Return the products for sale that were not shown, as they are: the next reading may bring one back."""
    columns = [attribute.key for attribute in inspect(Product).column_attrs]
    for_sale = (Product.is_archived.is_(False), Product.observed_at <= read_at)
    rows = db.session.scalars(select(Product).where(*for_sale)).all()
    values = [{name: getattr(row, name) for name in columns} for row in rows]
    db.session.rollback()
    return [each for each in values if each["polar_id"] not in shown]


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
        _read_holdings(polar_id, reading)
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


def read_customer(customer: Answer, reading: Reading) -> None:
    """Add to a reading a customer that Polar has shown, and what belongs to it."""
    reading.answers[Customer].append(customer)
    _read_holdings(str(customer.data.get("id")), reading)


def _read_holdings(polar_id: str, reading: Reading) -> None:
    reading.answers[Subscription] += gateway.customer_subscriptions(polar_id)
    reading.answers[Order] += gateway.customer_orders(polar_id)
    reading.answers[Grant] += gateway.customer_grants(polar_id)


def keep(reading: Reading, rehearsal: Rehearsal | None = None) -> list[Difference]:
    """Write a reading in one transaction and return what was different, or could not be read."""
    with store.gathering() as gathered:
        unread = [
            each
            for model, answers in reading.answers.items()
            for each in _unread(model, PUTS[model], answers)
        ]
    return _write(gathered, rehearsal) + unread


def keep_of(
    model: type[Snapshot], answers: list[Answer], rehearsal: Rehearsal | None = None
) -> list[Difference]:
    """The same for objects of one kind."""
    reading = Reading()
    reading.answers[model] += answers
    return keep(reading, rehearsal)


def keep_one(model: type[Snapshot], polar_id: str, answer: Answer) -> None:
    """Keep an object that was asked for. Raises ``PolarRejected`` when Polar says what we do not know."""
    if any(found.problem for found in keep_of(model, [answer])):
        raise PolarRejected(f"{model.__name__.lower()} {polar_id}: it could not be read")


def _write(gathered: store.Gathering, rehearsal: Rehearsal | None) -> list[Difference]:
    def transaction() -> list[Difference]:
        start_write()
        return differences.write(gathered, rehearsal)

    return settled(transaction)


def keep_all(put: Put, answers: Iterable[Answer]) -> int:
    """Keep each object; one that cannot be read is logged and does not hold up the others."""
    return sum(not _put(put, answer) for answer in answers)


def _unread(model: type[Snapshot], put: Put, answers: list[Answer]) -> list[Difference]:
    """Keep each object, and return a difference for each that cannot be read."""
    return [
        unreadable(model, str(answer.data.get("id")), problem)
        for answer in answers
        if (problem := _put(put, answer))
    ]


def _put(put: Put, answer: Answer) -> str:
    """Keep an object. Returns what is wrong with it, if it cannot be read."""
    try:
        put(answer.data, answer.observed_at)
    except PayloadError as error:
        log.error("polar: an object could not be kept: %s", error)
        return str(error)
    return ""
