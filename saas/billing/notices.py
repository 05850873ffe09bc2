"""Mails about billing, each sent once. What is due is noted first, under a unique key, and sent after that.

Whoever brings news calls ``after_change``; ``flask billing notices``, run every hour, finds what time alone
makes due, and what could not be sent. Neither ever raises because of a mail.
"""

import logging
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import cast

from flask import Flask, current_app
from sqlalchemy import Integer, Table, or_, select, type_coerce, update
from sqlalchemy.exc import IntegrityError

from saas.accounts.models import User
from saas.billing import address_at_polar, emails, occasions
from saas.billing.models import Customer, Notice, Order, Subscription
from saas.billing.occasions import NEWS_DAYS, Occasion
from saas.config import current
from saas.extensions import db, insert, start_write
from saas.kit.datetimes import utcnow

log = logging.getLogger(__name__)

THREAD = "billing-notices"
MAX_ATTEMPTS = 20
PATIENCE = timedelta(minutes=5)  # A mail younger than this may be on its way in another process.


def after_change(ids: Iterable[str]) -> None:
    """Send what has become due about these subscriptions, orders and customers.

    Nobody waits for the mail server.

    To be called after the change is committed. Never raises.
    """
    try:
        if noted := note(set(ids)):
            app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
            # Not a daemon: a worker that ends in good order sends its mails first.
            threading.Thread(target=_send_in, args=(app, noted), name=THREAD).start()
    except Exception:
        db.session.rollback()
        log.exception("mails that are due could not be noted; the hourly run finds them")


def after_change_for(user: User) -> None:
    """The same for everything of one user."""
    mine = select(Customer.polar_id).where(Customer.user_id == user.id)
    subscriptions = select(Subscription.polar_id).where(Subscription.customer_id.in_(mine))
    orders = select(Order.polar_id).where(Order.customer_id.in_(mine))
    after_change(db.session.scalars(mine.union(subscriptions, orders)))


def run(now: datetime | None = None) -> int:
    """Note everything that is due now and send what waits. Returns how many mails went out."""
    now = now or utcnow()
    recent = or_(
        Subscription.status.in_(("past_due", "trialing")),
        Subscription.canceled_at > now - NEWS_DAYS,
        Subscription.ended_at > now - NEWS_DAYS,
    )
    ids = set(db.session.scalars(select(Subscription.polar_id).where(recent)))
    ids |= set(db.session.scalars(select(Order.polar_id).where(Order.created_at > now - NEWS_DAYS)))
    fresh = note(ids, now) + _write_down(address_at_polar.due())
    waiting = select(Notice.id).where(
        Notice.sent_at.is_(None),
        Notice.attempts < MAX_ATTEMPTS,
        or_(Notice.created_at < now - PATIENCE, Notice.id.in_(fresh)),
    )
    found = list(db.session.scalars(waiting.order_by(Notice.id)))
    db.session.rollback()
    return sum(send(notice_id) for notice_id in found)


def note(ids: set[str], now: datetime | None = None) -> list[int]:
    """Write down what is due about these objects; returns the ids of what is new."""
    return _write_down(_due(ids, now or utcnow()))


def _write_down(due: dict[Occasion, int]) -> list[int]:
    off, known = set(current().mails_off), _known(due)
    rows = [
        {"kind": o.kind, "subject_id": o.subject_id, "period": o.period, "user_id": user_id}
        | {"created_at": utcnow(), "attempts": 0}
        for o, user_id in due.items()
        if o.kind not in off and o not in known
    ]
    db.session.rollback()
    if not rows:
        return []
    table = cast(Table, Notice.__table__)
    statement = insert(table).values(rows).on_conflict_do_nothing()
    start_write()
    try:
        noted = list(db.session.scalars(statement.returning(table.c.id)))
        db.session.commit()
    except IntegrityError:  # An account was deleted in this moment, and takes its mails along.
        db.session.rollback()
        log.info("mails that are due were not noted, since a user is gone")
        return []
    return noted


def send(notice_id: int) -> bool:
    """Send one mail, unless somebody else has. What fails is left for the next run."""
    if not _claim(notice_id):
        return False
    notice = db.session.get(Notice, notice_id)
    user = db.session.get(User, notice.user_id) if notice else None
    if notice is None or user is None:  # The account was deleted meanwhile.
        return False
    sent = emails.send_notice(notice, user)
    db.session.rollback()  # What was read is old by now, and SQLite lets nobody write on top of it.
    if not sent:
        _put_back(notice_id)
    return sent


def _claim(notice_id: int) -> bool:
    start_write()
    statement = (
        update(Notice)
        .where(Notice.id == notice_id, Notice.sent_at.is_(None))
        .values(sent_at=utcnow(), attempts=Notice.attempts + 1)
        .returning(Notice.id)
        .execution_options(synchronize_session=False)
    )
    claimed = db.session.scalar(statement) is not None
    db.session.commit()
    return claimed


def _put_back(notice_id: int) -> None:
    start_write()
    db.session.execute(update(Notice).where(Notice.id == notice_id).values(sent_at=None))
    db.session.commit()


def _send_in(app: Flask, notice_ids: list[int]) -> None:
    with app.app_context():
        for notice_id in notice_ids:
            try:
                send(notice_id)
            except Exception:
                db.session.rollback()
                log.exception("mail %s could not be sent; the hourly run tries again", notice_id)


def _known(due: Iterable[Occasion]) -> set[Occasion]:
    """Return those that are written down already, so that most news costs no write."""
    subjects = {occasion.subject_id for occasion in due}
    columns = select(Notice.kind, Notice.subject_id, Notice.period)
    rows = db.session.execute(columns.where(Notice.subject_id.in_(subjects))) if subjects else ()
    return {Occasion(*row) for row in rows}


def _due(ids: set[str], now: datetime) -> dict[Occasion, int]:
    """Return what is due and to which user. A customer without a user gets no mail of ours."""
    if not ids:
        return {}
    of_order = select(Order.subscription_id).where(Order.polar_id.in_(ids))
    owner = type_coerce(Customer.user_id, Integer)
    subscriptions = db.session.execute(
        select(Subscription, owner)
        .join(Customer, Customer.polar_id == Subscription.customer_id)
        .where(or_(Subscription.polar_id.in_(ids), Subscription.polar_id.in_(of_order)))
        .where(Customer.user_id.is_not(None))
    ).all()
    by_id = {subscription.polar_id: subscription for subscription, _ in subscriptions}
    orders = db.session.execute(
        select(Order, owner)
        .join(Customer, Customer.polar_id == Order.customer_id)
        .where(or_(Order.polar_id.in_(ids), Order.subscription_id.in_(by_id)))
        .where(Customer.user_id.is_not(None), Order.created_at > now - NEWS_DAYS)
    ).all()
    found: dict[Occasion, int] = address_at_polar.due(ids) | {
        occasion: user_id
        for subscription, user_id in subscriptions
        for occasion in occasions.of_subscription(subscription, now)
    }
    for order, user_id in orders:
        for occasion in occasions.of_order(order, by_id.get(order.subscription_id or ""), now):
            found[occasion] = user_id
    return found
