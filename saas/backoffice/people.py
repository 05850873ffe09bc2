"""Find people: by the beginning of their address, by our id, or by Polar's id of the customer."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, collate, select

from saas.accounts.models import User
from saas.backoffice import paging
from saas.backoffice.paging import Page
from saas.billing.models import Customer, Product, Subscription
from saas.extensions import db


@dataclass(frozen=True)
class Person:
    """One line of the list: a user, and the subscriptions that stand, in words."""

    user: User
    plans: list[str]


@dataclass(frozen=True)
class Found:
    """What a search found: users, and customers of Polar without an account here."""

    people: Page[Person]
    strangers: list[Customer] = field(default_factory=list)


def search(words: str, after: str, before: int | None) -> Found:
    """Return a page of users: the newest first, or by address when there is something to look for."""
    key = _uuid(words)
    if key is not None:
        return _by_id(key)
    if not words:
        return Found(_page(_newest(before), "before", "id"))
    strangers = select(Customer).where(Customer.email == words, Customer.user_id.is_(None)).limit(5)
    return Found(
        _page(_by_address(words.lower(), after), "after", "email"),
        [] if after else list(db.session.scalars(strangers)),
    )


def by_public_id(public_id: str) -> User | None:
    """Return a user by our id."""
    if len(public_id) > 36 or not public_id.isprintable():
        return None
    return db.session.scalar(select(User).where(User.public_id == public_id))


def customer_ids(words: str) -> list[str]:
    """Return the customers that a person may mean by an address, our id or Polar's. For filters."""
    key = _uuid(words)
    same = User.email == words.lower() if key is None else User.public_id == key
    owner = db.session.scalar(select(User.id).where(same))
    found = {key} if key else set(db.session.scalars(_addressed(words)))
    if owner is not None:
        mine = select(Customer.polar_id).where(Customer.user_id == owner)
        found |= set(db.session.scalars(mine))
    return sorted(found)


def customers_of(user: User) -> list[Customer]:
    """Return the customers of Polar that are this user's, deleted ones included."""
    found = select(Customer).where(Customer.user_id == user.id).order_by(Customer.created_at)
    return list(db.session.scalars(found))


def owner_of(customer_id: str | None) -> User | None:
    """Return the user behind a customer of Polar."""
    mine = select(Customer.user_id).where(Customer.polar_id == customer_id)
    return db.session.scalar(select(User).where(User.id.in_(mine))) if customer_id else None


def exact(column: Any) -> ColumnElement[str]:
    """Compare byte by byte, so that a range of addresses is a prefix and the index of it is used."""
    same: ColumnElement[str] = column
    return collate(same, "C") if db.engine.dialect.name == "postgresql" else same


def _addressed(words: str) -> Select[str]:
    return select(Customer.polar_id).where(Customer.email == words).limit(20)


def _by_id(key: str) -> Found:
    found = [by_public_id(key), owner_of(key)]  # Two looks by index; one with OR reads the table.
    users = [user for user in found if user is not None]
    strangers = select(Customer).where(Customer.polar_id == key, Customer.user_id.is_(None))
    return Found(_page(users, "before", "id"), list(db.session.scalars(strangers)))


def _newest(before: int | None) -> list[User]:
    query = select(User).order_by(User.id.desc()).limit(paging.ROWS + 1)
    return list(db.session.scalars(query if before is None else query.where(User.id < before)))


def _by_address(prefix: str, after: str) -> list[User]:
    if not prefix.isascii() or not prefix.isprintable():
        return []  # No address of ours looks like that.
    email = exact(User.email)
    beyond = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    query = select(User).where(email >= prefix, email < beyond)
    if after.isascii() and after.isprintable() and after:
        query = query.where(email > after)
    return list(db.session.scalars(query.order_by(email).limit(paging.ROWS + 1)))


def _page(users: list[User], key: str, attribute: str) -> Page[Person]:
    page = paging.cut(users, key, attribute)
    plans = _plans([user.id for user in page.rows])
    return Page([Person(user, plans.get(user.id, [])) for user in page.rows], page.more)


def _plans(ids: list[int]) -> dict[int | None, list[str]]:
    """Return the subscriptions that stand, for a page of users in one query."""
    if not ids:
        return {}
    standing = ("active", "trialing", "past_due", "paused", "unpaid", "incomplete")
    rows = db.session.execute(
        select(Customer.user_id, Product.name, Subscription.status)
        .join(Subscription, Subscription.customer_id == Customer.polar_id)
        .outerjoin(Product, Product.polar_id == Subscription.product_id)
        .where(Customer.user_id.in_(ids), Subscription.status.in_(standing))
        .order_by(Subscription.created_at)
    )
    plans: dict[int | None, list[str]] = {}
    for user_id, name, status in rows:
        plans.setdefault(user_id, []).append(f"{name or 'Subscription'}, {status}")
    return plans


def _uuid(words: str) -> str | None:
    try:
        return str(uuid.UUID(words)) if len(words) in {32, 36} else None
    except ValueError:
        return None
