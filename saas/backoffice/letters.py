"""The deliveries of Polar: find them, read one, apply them again."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import defer

from saas import audit
from saas.backoffice import paging, people
from saas.backoffice.paging import Page
from saas.extensions import db, start_write
from saas.kit import json_text
from saas.webhooks import inbox
from saas.webhooks.models import Delivery

LONGEST_BODY = 100_000  # Characters; what is longer makes a page that nobody can read.
MOST_AT_ONCE = 1000  # What "all that match" means: more than a page, less than a mistake for ever.


@dataclass(frozen=True)
class Filter:
    """What to look for; empty words mean anything. ``customer`` is an address or an id."""

    type: str = ""
    outcome: str = ""
    customer: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The filter as it stands in the address."""
        return {name: value for name, value in vars(self).items() if value}

    def narrow(self, statement: Select[Any]) -> Select[Any]:
        """Keep what matches."""
        if self.type:
            statement = statement.where(Delivery.type == self.type)
        if self.outcome:
            statement = statement.where(Delivery.outcome == self.outcome)
        if self.customer:
            ids = people.customer_ids(self.customer)
            statement = statement.where(Delivery.customer_id.in_(ids))
        return statement


def deliveries(wanted: Filter, before: int | None) -> Page[Delivery]:
    """Return a page of deliveries, the newest first."""
    query = wanted.narrow(select(Delivery)).order_by(Delivery.id.desc()).limit(paging.ROWS + 1)
    query = query.options(defer(Delivery.body), defer(Delivery.headers))
    if before is not None:
        query = query.where(Delivery.id < before)
    return paging.cut(list(db.session.scalars(query)), "before")


def open_delivery(delivery_id: int, actor: str) -> Delivery | None:
    """Return one delivery, and note who read it: bodies have names and addresses of customers."""
    start_write()
    found = db.session.get(Delivery, delivery_id)
    if found is not None:
        audit.record_look("delivery.viewed", f"delivery {delivery_id}", actor=actor)
    db.session.commit()
    return found


def readable(body: bytes) -> str:
    """Return a body for people: indented when it is JSON, cut when it is endless."""
    try:
        words = json.dumps(json_text.read(body), indent=2, ensure_ascii=False)
    except ValueError:
        words = body.decode("utf-8", "backslashreplace")
    if len(words) <= LONGEST_BODY:
        return words
    return f"{words[:LONGEST_BODY]}\n… and {len(words) - LONGEST_BODY} characters more."


def replay(ids: list[int], actor: str) -> dict[int, str]:
    """Apply deliveries again, oldest first; a newer state is never undone. Returns outcomes by id."""
    start_write()
    known = sorted(db.session.scalars(select(Delivery.id).where(Delivery.id.in_(ids))))
    if known:
        inbox.reopen(known)
        subject = f"delivery {known[0]}" if len(known) == 1 else ""
        audit.record("delivery.replayed", subject, actor=actor, deliveries=known)
    db.session.commit()
    return {row_id: inbox.process(row_id) for row_id in known}


def matching(wanted: Filter) -> list[int]:
    """Return the newest deliveries that match, at most ``MOST_AT_ONCE``."""
    query = wanted.narrow(select(Delivery.id)).order_by(Delivery.id.desc()).limit(MOST_AT_ONCE)
    return list(db.session.scalars(query))
