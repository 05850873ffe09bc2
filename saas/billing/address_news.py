"""A user's new e-mail address arrives at Polar, now or as soon as Polar answers again.

The other direction is ``address_at_polar``.
"""

import logging
from typing import cast

from sqlalchemy import Table, and_, delete, func, or_, select

from saas.accounts.models import User
from saas.billing import address_at_polar, gateway, sync
from saas.billing.gateway import PolarError, PolarRejected
from saas.billing.models import AddressNews, Customer
from saas.extensions import db, insert, start_write
from saas.kit.datetimes import utcnow

log = logging.getLogger(__name__)


def on_email_changed(user: User) -> None:
    """Note that Polar must hear of the new address, and tell it. Trouble is left for the next run."""
    user_id = user.id
    table = cast(Table, AddressNews.__table__)
    statement = insert(table).values(user_id=user_id, since=utcnow()).on_conflict_do_nothing()
    start_write()
    db.session.execute(statement)
    address_at_polar.remember_as_old(user_id)
    db.session.commit()
    tell(user_id)


def run() -> int:
    """Tell Polar every address that it has not heard of. Returns how many it took."""
    waiting = list(db.session.scalars(select(AddressNews.user_id)))
    db.session.rollback()
    return sum(tell(user_id) for user_id in waiting)


def tell(user_id: int) -> bool:
    """Tell Polar the address of a user. False when Polar does not answer, so that it is tried again.

    One that is changed again meanwhile is told as well, so that the last one is what Polar has in the end.
    When another customer at Polar has the address, the two stay apart: our customer keeps the old one
    there, and a person has to look at it unless both are the user's.
    """
    user = db.session.get(User, user_id)
    if user is None:  # Deleted in this moment, and the news with it.
        return False
    public_id, address = user.public_id, user.email
    db.session.rollback()
    is_refused = False
    try:
        customer = gateway.customer_by_external_id(public_id)
        if customer is not None and customer.data.get("email") != address:
            answer = gateway.update_customer(str(customer.data["id"]), email=address)
            start_write()
            sync.put_customer(answer.data, answer.observed_at)
            db.session.commit()
    except PolarRejected as error:
        is_refused = True
        if not _is_theirs(user_id, address):
            log.error(
                "the new address of user %s was refused by Polar: %s", public_id, error.detail
            )
    except PolarError:
        return False
    start_write()
    user = db.session.get(User, user_id)
    if user is not None and user.email != address:  # Changed again, and maybe told before this one.
        db.session.rollback()
        return tell(user_id)
    db.session.execute(delete(AddressNews).where(AddressNews.user_id == user_id))
    if not is_refused:
        address_at_polar.forget_old(user_id)
    db.session.commit()
    return True


def _is_theirs(user_id: int, address: str) -> bool:
    """True when the customer who has the address is the user's, or waits for whoever proves it."""
    db.session.rollback()
    unclaimed = and_(Customer.user_id.is_(None), Customer.external_id.is_(None))
    same = (func.lower(Customer.email) == address, Customer.deleted_at.is_(None))
    found = select(Customer.polar_id).where(*same, or_(Customer.user_id == user_id, unclaimed))
    is_theirs = db.session.scalar(found.limit(1)) is not None
    db.session.rollback()
    return is_theirs
