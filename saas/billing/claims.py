"""What somebody bought before we knew them becomes theirs, once they have proven the address of the purchase.

A customer at Polar who carries nobody's id gets ours. Where the user is a customer there already the two
cannot become one, since Polar merges nobody and takes an id once: then the second one is the user's, too,
and only here do we know it. See docs/subscriptions.md, "Two customers".
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Flask
from sqlalchemy import ColumnElement, Select, func, select

from saas.accounts.models import User
from saas.billing import gateway, notices, reconcile, store, sync
from saas.billing.gateway import Answer, PolarNotFound, PolarRejected
from saas.billing.models import Customer
from saas.errors import AppError
from saas.extensions import db, start_write
from saas.jobs import enqueue, handler, records

log = logging.getLogger(__name__)

CLAIMING = "billing.claim"


def on_address_proven(user: User) -> None:
    """Give people what they bought before, now that the address is proven theirs."""
    _claim_quietly(user)


def on_signed_in(_app: Flask, user: User, **_: object) -> None:
    """Try that again, should Polar not have answered when the address was proven."""
    _claim_quietly(user)


def after_change(customers: Iterable[Mapping[str, Any]]) -> None:
    """Have claimed what has come for somebody who is here already, such as a purchase by link.

    To be called with the new snapshots once they are committed. Never raises.
    """
    ids = [new["polar_id"] for new in customers if not (new["external_id"] or new["deleted_at"])]
    if not ids:
        return
    try:
        _ask_for(ids)
    except Exception:
        db.session.rollback()
        log.exception("a purchase could not be linked; the sign-in or the next comparison does it")


@handler(CLAIMING)
def claim_for(user_id: int) -> None:
    """Do it in a job, since nobody at the door waits for Polar. Raises as ``claim``."""
    user = db.session.get(User, user_id)
    if user is not None and claim(user):
        notices.after_change_for(db.session.get_one(User, user_id))


def claim(user: User, *, asking: bool = False) -> bool:
    """Take over the customers with the user's proven address that carry no id, and read what they have.

    ``asking`` also takes one of which only Polar knows yet. Returns whether there was one. Raises
    ``gateway.PolarError``; trying again is safe.
    """
    user_id, address = user.id, user.email
    _link_awaited(user)
    if not user.has_confirmed_email:
        return False
    waiting = set(db.session.scalars(_waiting_with(func.lower(address))))
    if asking:
        db.session.rollback()
        there = gateway.customers_by_email(address)
        waiting |= {str(each.data.get("id")) for each in there if is_free(each, address)}
    taken = [_take(db.session.get_one(User, user_id), each) for each in sorted(waiting)]
    if not any(taken):
        return False
    reconcile.pull_user(db.session.get_one(User, user_id))
    return True


def waiting() -> list[tuple[int, str]]:
    """Return users with a proven address, each with a customer who has it, too, and has no account."""
    found = _with_owners().order_by(User.id, Customer.polar_id)
    return [(user_id, polar_id) for user_id, polar_id in db.session.execute(found)]


def is_anothers(polar_id: str, user_id: int) -> bool:
    """True for a customer who is somebody else's here, though it carries no id: one of two, say.

    Its owner may have moved on to another address, and somebody else have proven the old one since.
    """
    owner = db.session.scalar(select(Customer.user_id).where(Customer.polar_id == polar_id))
    db.session.rollback()
    return owner not in {None, user_id}


def _claim_quietly(user: User) -> None:
    """Nobody's sign-in fails because of this: the purchase waits, and the next occasion tries again."""
    public_id = user.public_id
    try:
        claim(user)
    except AppError as error:
        db.session.rollback()
        log.warning("an earlier purchase could not be linked yet: %s", type(error).__name__)
    except Exception:
        db.session.rollback()
        log.exception("an earlier purchase of user %s could not be linked", public_id)


def _link_awaited(user: User) -> None:
    """Link what came with the user's id in the very moment in which the account was made."""
    awaited = select(Customer.polar_id).where(Customer.awaits == user.public_id).limit(1)
    if db.session.scalar(awaited) is None:
        return
    user_id = user.id
    start_write()
    store.link_awaited(db.session.get_one(User, user_id))
    db.session.commit()


def _ask_for(ids: list[str]) -> None:
    found = db.session.execute(_with_owners().where(Customer.polar_id.in_(ids))).all()
    db.session.rollback()
    if not found:
        return
    keys = {polar_id: f"{CLAIMING}@{polar_id}" for _, polar_id in found}
    start_write()
    records.forget_done(list(keys.values()))
    for user_id, polar_id in found:
        enqueue(CLAIMING, user_id=user_id, dedupe_key=keys[polar_id])
    db.session.commit()


def _waiting_with(address: Any) -> Select[str]:
    same: ColumnElement[bool] = func.lower(Customer.email) == address
    unclaimed = (Customer.external_id, Customer.user_id, Customer.deleted_at)
    return select(Customer.polar_id).where(same, *(column.is_(None) for column in unclaimed))


def _with_owners() -> Select[int, str]:
    # Ours are in small letters as they are, and only so is their index of use.
    theirs = _waiting_with(User.email).where(User.email_confirmed_at.is_not(None))
    return theirs.with_only_columns(User.id, Customer.polar_id)


def _take(user: User, polar_id: str) -> bool:
    """Take over a customer, if it is nobody's and has the user's address now. True if it is theirs."""
    user_id, public_id, address = user.id, user.public_id, user.email
    if is_anothers(polar_id, user_id):
        return False
    try:
        answer = gateway.customer(polar_id)
        if is_free(answer, address):
            answer = _with_our_id(answer, public_id)
    except PolarNotFound:  # Its own event, or the nightly comparison, tells the rest.
        return False
    start_write()
    reconcile.keep_all(sync.put_customer, [answer])
    if is_free(answer, address):
        store.link_by_address(polar_id, user_id)
    owner = db.session.scalar(select(Customer.user_id).where(Customer.polar_id == polar_id))
    db.session.commit()
    return owner == user_id


def is_free(answer: Answer, address: str) -> bool:
    """True for a customer at Polar who has exactly this address and carries nobody's id."""
    same = str(answer.data.get("email", "")).casefold() == address.casefold()
    return same and answer.data.get("external_id") is None


def _with_our_id(found: Answer, public_id: str) -> Answer:
    """Put our id on a customer, unless another one has it. Returns the customer as it is then."""
    if gateway.customer_by_external_id(public_id) is not None:
        return found
    polar_id = str(found.data["id"])
    try:
        return gateway.update_customer(polar_id, external_id=public_id)
    except PolarRejected:  # Another request was quicker, with this customer or a new one.
        return gateway.customer(polar_id)
