"""Mails about billing. What is due is noted once, under a unique key, together with the job that sends it.

Whoever brings news calls ``after_change``; the job ``billing.notices`` finds what time alone makes due.
Neither ever raises because of a mail.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Integer, Table, or_, select, type_coerce, update
from sqlalchemy.exc import IntegrityError

from saas.accounts.models import User
from saas.billing import address_at_polar, carried_over, emails, occasions
from saas.billing.models import Customer, Notice, Order, Subscription
from saas.billing.occasions import NEWS_DAYS, Occasion
from saas.config import current
from saas.extensions import db, insert, start_write
from saas.jobs import enqueue, handler, records
from saas.kit.datetimes import utcnow

log = logging.getLogger(__name__)

SENDING = "billing.notice"
PATIENCE = timedelta(
    minutes=5
)  # A notice older than this should have a job, and gets one otherwise.
LATELY = timedelta(days=14)  # What could not be sent for so long is no news any more.


def after_change(ids: Iterable[str]) -> None:
    """Have sent what has become due about these subscriptions, orders and customers.

    To be called after the change is committed. Never raises.
    """
    try:
        if known := set(ids):
            note(known)
            carried_over.ask_for(known)
    except Exception:
        db.session.rollback()
        log.exception("mails that are due could not be noted; the next run finds them")


def after_change_for(user: User) -> None:
    """The same for everything of one user."""
    mine = select(Customer.polar_id).where(Customer.user_id == user.id)
    subscriptions = select(Subscription.polar_id).where(Subscription.customer_id.in_(mine))
    orders = select(Order.polar_id).where(Order.customer_id.in_(mine))
    after_change(db.session.scalars(mine.union(subscriptions, orders)))


def run(now: datetime | None = None) -> int:
    """Note everything that is due now. Returns how many mails are on their way because of that."""
    now = now or utcnow()
    recent = or_(
        Subscription.status.in_(("past_due", "trialing", "paused")),
        Subscription.modified_at > now - NEWS_DAYS,
        Subscription.canceled_at > now - NEWS_DAYS,
        Subscription.ended_at > now - NEWS_DAYS,
        Subscription.ends_at > now - NEWS_DAYS,
    )
    ids = set(db.session.scalars(select(Subscription.polar_id).where(recent)))
    ids |= set(db.session.scalars(select(Order.polar_id).where(Order.created_at > now - NEWS_DAYS)))
    carried_over.ask_for()
    fresh = note(ids, now) + _write_down(address_at_polar.due())
    return len(fresh) + _ask_for_forgotten(now)


def note(ids: set[str], now: datetime | None = None) -> list[int]:
    """Write down what is due about these objects, and have it sent; returns the ids of what is new."""
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
        _ask_for(noted)
        db.session.commit()
    except IntegrityError:  # An account was deleted in this moment, and takes its mails along.
        db.session.rollback()
        log.info("mails that are due were not noted, since a user is gone")
        return []
    return noted


@handler(SENDING)
def send(notice_id: int) -> bool:
    """Send one mail, unless it is sent. Returns whether it was. Raises ``mail.MailNotSent``.

    The job sees to it that nobody else is at it.
    """
    notice = db.session.get(Notice, notice_id)
    user = db.session.get(User, notice.user_id) if notice else None
    if notice is None or user is None or notice.sent_at is not None:
        return False  # Without a user the account was deleted meanwhile.
    was_sent = emails.send_notice(notice, user)
    start_write()
    done = {"sent_at": utcnow(), "attempts": Notice.attempts + 1}
    db.session.execute(
        update(Notice).where(Notice.id == notice_id).values(done),
        execution_options={"synchronize_session": False},
    )
    return was_sent


def _ask_for(notice_ids: Iterable[int]) -> int:
    """Have these sent as part of the present transaction. Returns for how many nobody had asked yet."""
    ids = [enqueue(SENDING, notice_id=number, dedupe_key=_key(number)) for number in notice_ids]
    return sum(job_id is not None for job_id in ids)


def _key(notice_id: int) -> str:
    return f"{SENDING}@{notice_id}"


def _ask_for_forgotten(now: datetime) -> int:
    """Have sent what no job will send: it has none, or one that is done without having sent it.

    A job that failed is left to staff, who see why.
    """
    unsent = (Notice.sent_at.is_(None), Notice.created_at < now - PATIENCE)
    lately = Notice.created_at > now - LATELY
    start_write()
    ids = list(db.session.scalars(select(Notice.id).where(*unsent, lately)))
    records.forget_done(map(_key, ids))
    count = _ask_for(ids)
    db.session.commit()
    return count


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
    began_with = defaultdict(list)
    known = {subscription.polar_id for subscription, _ in subscriptions}
    for order in db.session.scalars(select(Order).where(Order.subscription_id.in_(known))):
        began_with[order.subscription_id].append(order)
    purchases = db.session.execute(
        select(Order, owner)
        .join(Customer, Customer.polar_id == Order.customer_id)
        .where(Order.polar_id.in_(ids), Order.subscription_id.is_(None))
        .where(Customer.user_id.is_not(None), Order.created_at > now - NEWS_DAYS)
    ).all()
    found: dict[Occasion, int] = address_at_polar.due(ids) | {
        occasion: user_id
        for subscription, user_id in subscriptions
        for occasion in occasions.of_subscription(subscription, now)
    }
    for subscription, user_id in subscriptions:
        orders = began_with[subscription.polar_id]
        for occasion in occasions.of_beginning(subscription, orders, now):
            found[occasion] = user_id
    for order, user_id in purchases:
        for occasion in occasions.of_purchase(order, now):
            found[occasion] = user_id
    return found
