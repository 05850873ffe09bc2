"""One request of a customer at a time prepares a checkout, switches the plan or leaves, in whatever process.

Polar would make two checkouts out of two clicks at the same moment, since neither sees the other's yet,
and two orders out of two switches.
So a request takes a turn: a row that is committed before Polar is asked, because a transaction held over
the network would make everybody wait who writes to SQLite.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import cast

from sqlalchemy import ForeignKey, String, Table, delete
from sqlalchemy.orm import Mapped, mapped_column

from saas.errors import AppError
from saas.extensions import db, insert, shared_now, start_write
from saas.kit.datetimes import UTCDateTime
from saas.kit.models import Base

# Whoever has not finished by then has died, or Polar hangs: an upgrade asks it seven times, 8 seconds each.
LONGEST = timedelta(seconds=60)
PATIENCE_SECONDS = 8.0  # As long as one call to Polar may take; a thread waits meanwhile.
NAP_SECONDS = 0.2


class CheckoutTurn(Base):
    """Whose turn it is. ``holder`` is made up by the request that has it."""

    __tablename__ = "billing_checkout_turns"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    holder: Mapped[str] = mapped_column(String(36))
    taken_at: Mapped[datetime] = mapped_column(UTCDateTime)


class CheckoutInPreparation(AppError):
    """Another click of the same person is still being worked on, and Polar is slow."""

    status = HTTPStatus.CONFLICT
    code = "checkout_in_preparation"
    message = (
        "Your last click is still being worked on, so nothing else was started. "
        "Please try again in a moment."
    )


@contextmanager
def taken(user_id: int) -> Iterator[None]:
    """Wait for the other requests of this user, then have the turn until the block ends.

    Begins and ends a transaction. Raises ``CheckoutInPreparation`` when it takes too long.
    """
    holder = _wait(user_id)
    try:
        yield
    finally:
        _give_back(user_id, holder)


@contextmanager
def last(user_id: int) -> Iterator[None]:
    """The same for whoever deletes the user: given back only when that fails, else it goes with the user.

    A checkout that is being prepared meanwhile would make a new customer at Polar for somebody who is gone.
    """
    holder = _wait(user_id)
    try:
        yield
    except BaseException:
        _give_back(user_id, holder)
        raise


def _wait(user_id: int) -> str:
    holder, deadline = str(uuid.uuid4()), time.monotonic() + PATIENCE_SECONDS
    while not _take(user_id, holder):
        if time.monotonic() > deadline:
            raise CheckoutInPreparation
        time.sleep(NAP_SECONDS)
    return holder


def _take(user_id: int, holder: str) -> bool:
    table, now = cast(Table, CheckoutTurn.__table__), shared_now()
    statement = insert(table).values(user_id=user_id, holder=holder, taken_at=now)
    start_write()
    taking = statement.on_conflict_do_update(
        index_elements=[table.c.user_id],
        set_={"holder": holder, "taken_at": now},
        where=table.c.taken_at <= shared_now(-LONGEST),
    )
    is_mine = db.session.scalar(taking.returning(table.c.user_id)) is not None
    db.session.commit()
    return is_mine


def _give_back(user_id: int, holder: str) -> None:
    start_write()
    mine = (CheckoutTurn.user_id == user_id, CheckoutTurn.holder == holder)
    db.session.execute(delete(CheckoutTurn).where(*mine))
    db.session.commit()
