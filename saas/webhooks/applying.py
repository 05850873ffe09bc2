"""Apply deliveries from the inbox, one or many in one transaction, and note what became of each."""

import logging
import re
import traceback
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from saas.billing import claims, notices, store
from saas.billing.models import Customer, Order, Subscription
from saas.billing.payload import PayloadError, Reader
from saas.extensions import db, settled, start_write
from saas.kit import json_text, trouble
from saas.kit.datetimes import utcnow
from saas.observability import metrics
from saas.webhooks import handlers
from saas.webhooks.models import Delivery

log = logging.getLogger(__name__)

READABLE_TYPE = re.compile(r"[a-zA-Z0-9_.\-]{1,255}")
READABLE_ID = re.compile(r"[0-9a-fA-F\-]{1,36}", re.ASCII)
UNREADABLE_TYPE = "(unreadable)"
FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(hours=6)
MAX_ATTEMPTS = 12  # With the doubling waits above: about two days.

Failure = tuple[int, Exception]


def apply(ids: Sequence[int]) -> dict[int, str]:
    """Apply these deliveries, unless they are handled or somebody is at it. Never raises.

    Returns the outcomes by id: applied, ignored, unknown or failed. One that fails holds up no other.
    """
    try:
        outcomes, failures = settled(lambda: _together(ids))
    except Exception as error:
        db.session.rollback()
        if len(ids) == 1:
            return _failed([(ids[0], error)])
        return {key: outcome for each in ids for key, outcome in apply([each]).items()}
    return outcomes | _failed(failures)


def event_in(body: bytes) -> Any:
    """Return the JSON of a body; ``None`` when it is none, or nested too deep to be read."""
    try:
        return json_text.read(body)
    except ValueError:
        return None


def type_of(event: Any) -> str:
    """Return the type of an event, or a word for one that has none we could print."""
    name = event.get("type") if isinstance(event, dict) else None
    return name if isinstance(name, str) and READABLE_TYPE.fullmatch(name) else UNREADABLE_TYPE


def customer_of(event: Any) -> str | None:
    """Return the id of the customer that an event is about, if it is about one."""
    data = event.get("data") if isinstance(event, dict) else None
    if not isinstance(data, dict):
        return None
    found = data.get("id" if str(event.get("type")).startswith("customer.") else "customer_id")
    return found if isinstance(found, str) and READABLE_ID.fullmatch(found) else None


def _together(ids: Sequence[int]) -> tuple[dict[int, str], list[Failure]]:
    start_write()
    found = (
        select(Delivery.id, Delivery.body, Delivery.type, Delivery.headers)
        .where(Delivery.id.in_(ids), Delivery.handled_at.is_(None))
        .order_by(Delivery.id)
        .with_for_update(skip_locked=True)
    )
    outcomes: dict[int, str] = {}
    failures: list[Failure] = []
    everything = store.Gathering()
    rows = db.session.execute(found).all()
    for row_id, body, _, _ in rows:
        try:
            with store.gathering() as gathered:
                outcomes[row_id] = _handle(body)
            everything.join(gathered)
        except Exception as error:
            failures.append((row_id, error))
    everything.write()
    for outcome in set(outcomes.values()):
        _note_success([key for key, value in outcomes.items() if value == outcome], outcome)
    db.session.commit()
    for row_id, _, kind, headers in rows:
        _count(kind, headers, outcomes.get(row_id, "failed"))
    news = (Subscription, Order, Customer)
    notices.after_change(key for model in news for key in everything.newer[model])
    claims.after_change(everything.newer[Customer].values())
    return outcomes, failures


def _count(kind: str, headers: dict[str, Any], outcome: str) -> None:
    """Tell the numbers. Types that we do not know are one, since anybody may make them up."""
    signed = str(headers.get("webhook-timestamp", ""))
    lag = utcnow().timestamp() - int(signed) if signed.isascii() and signed.isdigit() else None
    known = kind if kind in handlers.TABLE else "other"
    metrics.delivery_ended(known, outcome, lag if outcome == "applied" else None)


def _handle(body: bytes) -> str:
    event = event_in(body)
    if type_of(event) not in handlers.TABLE:
        return "unknown"
    return handlers.handle(event, Reader(event, "event").moment("timestamp"))


def _note_success(ids: list[int], outcome: str) -> None:
    changes: dict[str, Any] = {"outcome": outcome, "handled_at": utcnow(), "error": None}
    changes |= {"attempts": Delivery.attempts + 1, "next_attempt_at": None}
    statement = update(Delivery).where(Delivery.id.in_(ids)).values(changes)
    db.session.execute(statement.execution_options(synchronize_session=False))


def _failed(failures: list[Failure]) -> dict[int, str]:
    for row_id, error in failures:
        no_database = trouble.reason(error)
        known = no_database or isinstance(error, PayloadError)
        log.error(
            "webhook delivery %s failed: %s",
            row_id,
            no_database or error,
            exc_info=None if known else error,
        )
        _note_failure(row_id, error)
    return {row_id: "failed" for row_id, _ in failures}


def _note_failure(row_id: int, error: Exception) -> None:
    """Save the evidence outside the failed transaction."""
    try:
        start_write()
        delivery = db.session.get_one(Delivery, row_id, with_for_update=True)
        if delivery.handled_at is None:
            delivery.attempts += 1
            delivery.outcome = "failed"
            delivery.error = _evidence(error)
            delivery.next_attempt_at = _next_attempt(delivery.attempts)
        db.session.commit()
    except Exception:  # The row stays "received" and is tried again all the same.
        db.session.rollback()
        log.exception("the failure of webhook delivery %s could not be noted", row_id)


def _evidence(error: Exception) -> str:
    """Return the sentence first, then where it came from, as text that every database can keep."""
    text = f"{error}\n\n{''.join(traceback.format_exception(error))}"
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def _next_attempt(attempts: int) -> datetime | None:
    if attempts >= MAX_ATTEMPTS:
        return None
    wait: timedelta = min(FIRST_RETRY * 2 ** (attempts - 1), LAST_RETRY)
    return utcnow() + wait
