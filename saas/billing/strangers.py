"""Customers at Polar whom nobody here has yet, though their address is that of an account."""

from sqlalchemy import select

from saas.accounts.models import User
from saas.billing import claims, gateway, reconcile
from saas.billing.rehearsal import Rehearsal
from saas.extensions import db, start_write


def read(user: User) -> reconcile.Reading:
    """Read from Polar the customer without an id of anybody who has the user's proven address.

    The reading is empty when there is none. Writes nothing. Raises ``gateway.PolarError``.
    """
    reading = reconcile.Reading()
    user_id, address, is_proven = user.id, user.email, user.has_confirmed_email
    mine = reconcile.customers_of(user)
    for answer in gateway.customers_by_email(address) if is_proven else ():
        polar_id = str(answer.data.get("id"))
        is_new = polar_id not in mine and not claims.is_anothers(polar_id, user_id)
        if claims.is_free(answer, address) and is_new:
            reconcile.read_customer(answer, reading)
    return reading


def would_be_linked(rehearsal: Rehearsal) -> list[str]:
    """Return the addresses of users who would get a customer that waits for them, after a dry run."""
    start_write()
    rehearsal.restore()
    ids = {user_id for user_id, _ in claims.waiting()}
    db.session.rollback()
    return list(db.session.scalars(select(User.email).where(User.id.in_(ids)).order_by(User.email)))
