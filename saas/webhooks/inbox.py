"""Keep a delivery first, then apply it; what failed is kept with its error and tried again."""

import json
import logging
import re
import traceback
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import Table, select
from sqlalchemy.exc import SQLAlchemyError

from saas.billing.payload import PayloadError, Reader
from saas.extensions import db, insert, start_write
from saas.kit.datetimes import utcnow
from saas.webhooks import handlers
from saas.webhooks.models import Delivery

log = logging.getLogger(__name__)

KEPT_HEADERS = (
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "user-agent",
    "content-type",
)
READABLE_TYPE = re.compile(r"[a-zA-Z0-9_.\-]{1,255}")
UNREADABLE_TYPE = "(unreadable)"
FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(hours=6)
MAX_ATTEMPTS = 12  # With the doubling waits above: about two days.
RETRY_BATCH = 5  # So that clearing a backlog never makes one answer slow.
OPEN = ("received", "failed")


def accept(webhook_id: str, event: Any, body: bytes, headers: Mapping[str, str]) -> None:
    """Keep a delivery for good, then try to apply it and whatever failed earlier and is due.

    Raises ``SQLAlchemyError`` only while nothing is kept yet; afterwards failures stay in the inbox.
    """
    delivery_id = _store(webhook_id, event, body, headers)
    if delivery_id is not None:
        process(delivery_id)
    try:
        retry_due()
    except SQLAlchemyError:
        db.session.rollback()
        log.exception("earlier deliveries could not be retried")


def process(delivery_id: int) -> str:
    """Apply one delivery in a transaction of its own and note what became of it. Never raises.

    Returns the outcome: applied, ignored, unknown or failed.
    """
    try:
        start_write()
        delivery = db.session.get_one(Delivery, delivery_id, with_for_update=True)
        if delivery.handled_at is None:
            delivery.outcome = _apply(delivery.body)
            delivery.attempts += 1
            delivery.handled_at = utcnow()
            delivery.error = delivery.next_attempt_at = None
        outcome = delivery.outcome
        db.session.commit()
    except Exception as error:
        db.session.rollback()
        known = isinstance(error, PayloadError)
        log.error("webhook delivery %s failed: %s", delivery_id, error, exc_info=not known)
        _note_failure(delivery_id, error)
        return "failed"
    return outcome


def retry_due(limit: int = RETRY_BATCH) -> list[str]:
    """Try again what failed and is due, or was received by a process that died. Returns the outcomes."""
    now = utcnow()
    due = select(Delivery.id).where(
        Delivery.outcome.in_(OPEN),
        db.or_(
            Delivery.next_attempt_at <= now,
            db.and_(Delivery.outcome == "received", Delivery.received_at <= now - FIRST_RETRY),
        ),
    )
    ids = list(db.session.scalars(due.order_by(Delivery.id).limit(limit)))
    db.session.rollback()
    return [process(delivery_id) for delivery_id in ids]


def _store(webhook_id: str, event: Any, body: bytes, headers: Mapping[str, str]) -> int | None:
    """Keep a delivery and commit. Returns its row's id, or ``None`` when it needs no more work.

    A repetition of a handled delivery changes nothing; of an unhandled one it is a chance to handle it.
    """
    statement = insert(cast(Table, Delivery.__table__)).values(
        webhook_id=webhook_id,
        type=_type_of(event),
        body=body,
        headers={name: headers[name] for name in KEPT_HEADERS if name in headers},
        received_at=utcnow(),
        outcome="received",
        attempts=0,
    )
    db.session.execute(statement.on_conflict_do_nothing(index_elements=["webhook_id"]))
    db.session.commit()
    unhandled = select(Delivery.id).where(
        Delivery.webhook_id == webhook_id, Delivery.handled_at.is_(None)
    )
    found = db.session.scalar(unhandled)
    db.session.rollback()
    return found


def _apply(body: bytes) -> str:
    event = json.loads(body)
    if not isinstance(event, dict) or _type_of(event) == UNREADABLE_TYPE:
        return "unknown"
    if event["type"] not in handlers.TABLE:
        return "unknown"
    return handlers.handle(event, Reader(event, "event").moment("timestamp"))


def _note_failure(delivery_id: int, error: Exception) -> None:
    """Save the evidence outside the failed transaction."""
    try:
        start_write()
        delivery = db.session.get_one(Delivery, delivery_id)
        delivery.attempts += 1
        delivery.outcome = "failed"
        delivery.error = _evidence(error)
        delivery.next_attempt_at = _next_attempt(delivery.attempts)
        db.session.commit()
    except Exception:  # The row stays "received" and is tried again all the same.
        db.session.rollback()
        log.exception("the failure of webhook delivery %s could not be noted", delivery_id)


def _evidence(error: Exception) -> str:
    text = (
        str(error)
        if isinstance(error, PayloadError)
        else "".join(traceback.format_exception(error))
    )
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def _next_attempt(attempts: int) -> Any:
    if attempts >= MAX_ATTEMPTS:
        return None
    return utcnow() + min(FIRST_RETRY * 2 ** (attempts - 1), LAST_RETRY)


def _type_of(event: Any) -> str:
    name = event.get("type") if isinstance(event, dict) else None
    return name if isinstance(name, str) and READABLE_TYPE.fullmatch(name) else UNREADABLE_TYPE
