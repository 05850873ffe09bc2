"""An address that was changed at Polar. Its owner may take it over here, by a link and the password.

Nothing is decided by the address itself: whose customer it is, our id alone says. See
docs/subscriptions.md, "E-mail addresses".
"""

import hashlib
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Select, Table, delete, func, select

from saas.accounts import address_change
from saas.accounts.errors import InvalidAddress
from saas.accounts.models import User
from saas.billing.models import AddressNews, Customer, Notice
from saas.billing.occasions import Occasion
from saas.config import current
from saas.extensions import db, insert
from saas.kit.datetimes import utcnow
from saas.mail import send

KIND = "address_at_polar"


@dataclass(frozen=True)
class Elsewhere:
    """An address that Polar has and the account has not.

    ``state``: offered, taken, refused, apart (the user is two customers there) or open.
    """

    address: str
    own: str
    state: str

    @property
    def words(self) -> str:
        """Say it to its owner."""
        if self.state == "refused":
            return (
                f"Receipts still go to {self.address}: our payment provider did not take {self.own}, because "
                "another customer there has it. Please write to us."
            )
        if self.state == "apart":
            return (
                f"Receipts of some of your purchases go to {self.address}: our payment provider knows you "
                "as two customers, each with an address of its own."
            )
        told = f"Receipts go to {self.address}, as you told Polar."
        if self.state == "taken":
            return f"{told} Another account here has that address, so you go on signing in with {self.own}."
        if self.state == "offered":
            return f"{told} To sign in with it from now on, open the link that we sent there."
        return (
            f"{told} To sign in with it from now on, change your address in the account settings."
        )


def due(customer_ids: set[str] | None = None) -> dict[Occasion, int]:
    """Return the mails that are due about these customers, or all, and to which user."""
    query = _differing().where(Customer.external_id == User.public_id)
    if customer_ids is not None:
        query = query.where(Customer.polar_id.in_(customer_ids))
    return {
        Occasion(KIND, customer_id, fingerprint(address)): user.id
        for customer_id, address, user in db.session.execute(query)
        if _link(user, address) is not None
    }


def send_offer(notice: Notice, user: User) -> bool:
    """Mail the link to the new address. Returns false when there is nothing to send."""
    customer = db.session.get(Customer, notice.subject_id)
    if customer is None or fingerprint(customer.email) != notice.period:
        return False  # It was changed again meanwhile.
    address, url = customer.email, _link(user, customer.email)
    db.session.rollback()  # Nobody holds on to the database while a mail server thinks.
    if url is None:
        return False
    send(KIND, address, email=address, url=url)
    return True


def of_user(user: User) -> Elsewhere | None:
    """Return the address that Polar has for a user, if it is another one than here."""
    mine = _differing(told=False).where(User.id == user.id)
    row = db.session.execute(mine.order_by(Customer.external_id.is_(None))).first()
    if row is None:
        return None
    customer_id, address, _ = row
    return Elsewhere(address, user.email, _state(customer_id, address, user))


def everybody() -> list[Elsewhere]:
    """Return every such address, for staff."""
    rows = db.session.execute(_differing(told=False).order_by(User.email)).all()
    return [Elsewhere(email, user.email, _state(key, email, user)) for key, email, user in rows]


def remember_as_old(user_id: int) -> None:
    """Note that the address which Polar has now is the one that the user has just given up."""
    rows = [
        {"kind": KIND, "subject_id": customer_id, "period": fingerprint(address)}
        | {"user_id": user_id, "created_at": utcnow(), "sent_at": utcnow(), "attempts": 0}
        for customer_id, address in db.session.execute(
            select(Customer.polar_id, Customer.email).where(Customer.user_id == user_id)
        )
    ]
    if rows:
        statement = insert(cast(Table, Notice.__table__)).values(rows)
        db.session.execute(statement.on_conflict_do_nothing())


def forget_old(user_id: int) -> None:
    """Polar has the present address: whatever it is changed to from now on is news."""
    db.session.execute(delete(Notice).where(Notice.kind == KIND, Notice.user_id == user_id))


def fingerprint(address: str) -> str:
    """Return what stands for an address in a key; the address itself may be too long."""
    return hashlib.sha256(address.casefold().encode()).hexdigest()


def _differing(*, told: bool = True) -> Select[Any]:
    """Customers whose address is not that of their account. ``told``: Polar knows of ours."""
    query: Any = (
        select(Customer.polar_id, Customer.email, User)
        .join(User, User.id == Customer.user_id)
        .where(
            Customer.deleted_at.is_(None),
            func.lower(Customer.email) != User.email,
            User.email_confirmed_at.is_not(None),
        )
    )
    if told:
        query = query.where(User.id.not_in(select(AddressNews.user_id)))
    return cast("Select[Any]", query)


def _state(customer_id: str, address: str, user: User) -> str:
    if _is_apart(customer_id, user):
        return "apart"
    if _link(user, address) is None:
        return "taken"
    asked = (Notice.kind == KIND, Notice.subject_id == customer_id)
    notice = db.session.scalar(select(Notice).where(*asked, Notice.period == fingerprint(address)))
    if notice is None or KIND in current().mails_off:
        return "open"
    is_old = notice.sent_at is not None and not notice.attempts  # See ``remember_as_old``.
    return "refused" if is_old else "offered"


def _is_apart(customer_id: str, user: User) -> bool:
    """True for one of two customers of the user, if it has no id or the other one has the user's address."""
    others = (Customer.user_id == user.id, Customer.polar_id != customer_id)
    query = select(Customer.email).where(*others, Customer.deleted_at.is_(None))
    addresses = [address.casefold() for address in db.session.scalars(query)]
    customer = db.session.get_one(Customer, customer_id)
    return bool(addresses) and (customer.external_id is None or user.email.casefold() in addresses)


def _link(user: User, address: str) -> str | None:
    try:
        return address_change.proposal(user, address)
    except InvalidAddress:
        return None
