"""Keep a delivery first, then apply it; what failed is kept with its error and tried again."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import Flask, current_app
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import SQLAlchemyError

from saas.extensions import db, start_write
from saas.kit.datetimes import utcnow
from saas.webhooks import applying
from saas.webhooks.applying import FIRST_RETRY, MAX_ATTEMPTS, customer_of, event_in, type_of
from saas.webhooks.backlog import Backlog
from saas.webhooks.keeping import Keeper
from saas.webhooks.models import Delivery

__all__ = [
    "FIRST_RETRY",
    "MAX_ATTEMPTS",
    "accept",
    "process",
    "reopen",
    "replay",
    "retry_all",
    "retry_due",
]

log = logging.getLogger(__name__)

KEPT_HEADERS = (
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "user-agent",
    "content-type",
)
BATCH = 100  # In one transaction, when somebody waits for all of them.
RETRY_BATCH = 5  # So that clearing a backlog never makes one answer slow.


@dataclass
class _Desk:
    """What one process works with."""

    keeper: Keeper = field(default_factory=Keeper)
    backlog: Backlog = field(default_factory=Backlog)


def init_app(app: Flask) -> None:
    """Give the application its inbox; the workers are forked from here with an empty one each."""
    app.extensions["webhook-desk"] = _Desk()


def accept(webhook_id: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Keep a delivery for good, then apply it: at once when it comes alone, else in a moment.

    Raises ``SQLAlchemyError`` only while nothing is kept yet; afterwards failures stay in the inbox.
    """
    desk: _Desk = current_app.extensions["webhook-desk"]
    event = event_in(body)
    with desk.backlog.visit():
        row_id = desk.keeper.keep(
            {
                "webhook_id": webhook_id,
                "type": type_of(event),
                "customer_id": customer_of(event),
                "body": body,
                "headers": {name: headers[name] for name in KEPT_HEADERS if name in headers},
                "received_at": utcnow(),
                "outcome": "received",
                "attempts": 0,
            }
        )
        if not desk.backlog.is_quiet:
            if row_id is not None:
                desk.backlog.add(current_app._get_current_object(), row_id)  # type: ignore[attr-defined]
            return
        if row_id is not None:
            process(row_id)
        _take_along_what_is_due()


def process(row_id: int) -> str:
    """Apply one delivery in a transaction of its own and note what became of it. Never raises.

    Returns the outcome: applied, ignored, unknown or failed; or handled, when there was nothing to do.
    """
    return applying.apply([row_id]).get(row_id, "handled")


def replay(row_id: int) -> str:
    """Apply one delivery again, even if it was handled before. Returns the outcome."""
    start_write()
    reopen([row_id])
    db.session.commit()
    return process(row_id)


def reopen(row_ids: Sequence[int]) -> None:
    """Have deliveries applied again, handled or not. The caller begins the transaction and commits it."""
    db.session.execute(
        update(Delivery)
        .where(Delivery.id.in_(row_ids))
        .values(handled_at=None, outcome="received"),
        execution_options={"synchronize_session": False},
    )


def retry_due(limit: int = RETRY_BATCH) -> list[str]:
    """Try again what failed and is due, or was received by a process that died. Returns the outcomes."""
    ids = _ids(db.or_(Delivery.next_attempt_at <= utcnow(), _is_left_behind()), limit)
    return list(applying.apply(ids).values()) if ids else []


def retry_all(limit: int | None = None) -> list[str]:
    """Try again now whatever is not handled: what waits for its next try and what was given up, too.

    The oldest come first, each is tried once; ``None`` as ``limit`` means all. Returns the outcomes.
    """
    ids = _ids(db.or_(Delivery.outcome == "failed", _is_left_behind()), limit)
    batches = (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
    return [outcome for batch in batches for outcome in applying.apply(batch).values()]


def _ids(condition: ColumnElement[bool], limit: int | None) -> list[int]:
    found = select(Delivery.id).where(Delivery.handled_at.is_(None), condition)
    ids = list(db.session.scalars(found.order_by(Delivery.id).limit(limit)))
    db.session.rollback()
    return ids


def _is_left_behind() -> ColumnElement[bool]:
    """Received so long ago that nobody is at it any more."""
    return (Delivery.outcome == "received") & (Delivery.received_at <= utcnow() - FIRST_RETRY)


def _take_along_what_is_due() -> None:
    try:
        retry_due()
    except SQLAlchemyError:
        db.session.rollback()
        log.exception("earlier deliveries could not be retried")
