"""Whose customer is whose. A user is known to Polar by our id, and linked before the first checkout.

Polar attaches a checkout with an unknown id and a known address to the customer with that address and
drops our id without a word, so the customer is made, found or adopted through the API first.
"""

import logging
from http import HTTPStatus

from sqlalchemy import select

from saas.accounts.models import User
from saas.billing import claims, gateway, sync
from saas.billing.gateway import Answer, PolarRejected
from saas.billing.models import Customer
from saas.errors import AppError
from saas.extensions import db, start_write

log = logging.getLogger(__name__)


class AddressTaken(AppError):
    """Another customer at Polar has this address; who they are must be settled by a person."""

    status = HTTPStatus.CONFLICT
    code = "address_taken"
    message = (
        "Your e-mail address already belongs to another customer of ours, so we did not start a "
        "payment. Please write to us and we will sort it out."
    )


class AddressRefused(AppError):
    """Polar does not take the address: its domain has no mail, or is reserved, such as ``.test``."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "address_refused"
    message = (
        "Our payment provider does not accept your e-mail address, so we did not start a payment. "
        "Change the address in your account settings, then try again."
    )


def ensure(user: User) -> str:
    """Make sure that Polar knows the user by our id, and return Polar's id of the customer.

    Raises ``AddressTaken``, ``AddressRefused``, or ``gateway.PolarError`` when Polar does not answer.
    """
    public_id, address = user.public_id, user.email
    confirmed = user.has_confirmed_email
    answer = gateway.customer_by_external_id(public_id) or _create(public_id, address, confirmed)
    start_write()
    polar_id = sync.put_customer(answer.data, answer.observed_at)
    db.session.commit()
    return polar_id


def ensure_all(user: User) -> list[str]:
    """The same, and return every customer that is the user's.

    What was bought by link is claimed before, so that it counts before anything is bought a second time.
    """
    user_id = user.id
    claims.claim(user)
    ensure(db.session.get_one(User, user_id))
    mine = of(db.session.get_one(User, user_id))
    db.session.rollback()
    return mine


def of(user: User) -> list[str]:
    """Return the customers that are this user's here and not deleted at Polar; usually it is one."""
    mine = select(Customer.polar_id).where(
        Customer.user_id == user.id, Customer.deleted_at.is_(None)
    )
    return list(db.session.scalars(mine.order_by(Customer.created_at, Customer.polar_id)))


def _create(public_id: str, address: str, confirmed: bool) -> Answer:
    try:
        return gateway.create_customer(public_id, address)
    except PolarRejected as error:
        if error.complains_about("body", "external_id"):  # Made by another request a moment ago.
            found = gateway.customer_by_external_id(public_id)
            if found is not None:
                return found
        if not error.complains_of_field("email"):
            raise
    return _adopt(public_id, address, confirmed)


def _give_back(polar_id: str, other_id: str) -> None:
    """Put a customer who has somebody else's proven address back to the one of their own account.

    Raises ``AddressTaken`` when no account here is theirs, or their own address is taken at Polar, too.
    """
    found = db.session.scalar(
        db.select(User).where(User.public_id == other_id, User.email_confirmed_at.is_not(None))
    )
    own = found.email if found is not None else None
    db.session.rollback()
    if own is None:
        raise AddressTaken
    try:
        answer = gateway.update_customer(polar_id, email=own)
    except PolarRejected:
        raise AddressTaken from None
    log.warning("customer %s had somebody else's address at Polar; it has its own again", polar_id)
    start_write()
    sync.put_customer(answer.data, answer.observed_at)
    db.session.commit()


def _owner(found: Answer, public_id: str) -> str | None:
    """Return the id of somebody else whose customer it is here, though it carries no id: one of two."""
    theirs = select(User.public_id).join(Customer, Customer.user_id == User.id)
    owner = db.session.scalar(theirs.where(Customer.polar_id == str(found.data["id"])))
    db.session.rollback()
    return owner if owner != public_id else None


def _adopt(public_id: str, address: str, confirmed: bool) -> Answer:
    """Put our id on the customer who has the address, if it is proven; if somebody else's is there,
    they get their own address back, and the user is a customer of their own."""
    matches = [
        answer
        for answer in gateway.customers_by_email(address)
        if str(answer.data.get("email", "")).casefold() == address.casefold()
    ]
    if not matches:  # Nobody has it, so it is the address itself that Polar complains about.
        raise AddressRefused
    if len(matches) != 1 or not confirmed:
        raise AddressTaken
    if (other := matches[0].data.get("external_id") or _owner(matches[0], public_id)) is not None:
        _give_back(str(matches[0].data["id"]), str(other))
        return gateway.create_customer(public_id, address)
    try:
        return gateway.update_customer(str(matches[0].data["id"]), external_id=public_id)
    except PolarRejected:  # Another request of the same person was quicker.
        found = gateway.customer_by_external_id(public_id)
        if found is None:
            raise AddressTaken from None
        return found
