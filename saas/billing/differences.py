"""What a reading of Polar changed in our copy, field by field, for the report of ``flask billing sync``."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import inspect, select

from saas.billing.models import (
    Benefit,
    Customer,
    Grant,
    Order,
    Product,
    Snapshot,
    Subscription,
)
from saas.billing.rehearsal import Rehearsal
from saas.billing.store import Gathering
from saas.extensions import db

WORDS: dict[type[Snapshot], str] = {
    Customer: "customer",
    Product: "product",
    Benefit: "benefit",
    Subscription: "subscription",
    Order: "order",
    Grant: "grant",
}
TIMES = frozenset({"created_at", "modified_at"})
NOT_CONTENT = TIMES | {"polar_id", "observed_at", "tie", "awaits"}
LONGEST_VALUE = 60  # Characters in a report; a price list is said to have changed.


@dataclass(frozen=True)
class Difference:
    """One object that was wrong or missing here. ``changes`` holds the old and new value by field.

    ``problem`` says why the object could not be read, or ``undone`` otherwise, and then it stands here as it
    did before.
    """

    kind: str
    polar_id: str
    changes: dict[str, tuple[Any, Any]]
    is_new: bool = False
    problem: str = ""
    undone: str = "read"

    def __str__(self) -> str:
        """Say it in one line."""
        if self.problem:
            return f"{self.kind} {self.polar_id} could not be {self.undone}: {self.problem}"
        if self.is_new:
            return f"{self.kind} {self.polar_id} was missing here"
        words = [_words(name, *values) for name, values in sorted(self.changes.items())]
        return f"{self.kind} {self.polar_id}: " + ", ".join(words)

    def without_values(self) -> str:
        """Say it for the log, where names and addresses of people do not belong: only the fields."""
        if self.problem or self.is_new:
            return str(self)
        return f"{self.kind} {self.polar_id}: " + ", ".join(sorted(self.changes))


def unreadable(model: type[Snapshot], polar_id: str, problem: str) -> Difference:
    """Return the difference that an object makes which Polar has and we cannot read."""
    return Difference(WORDS[model], polar_id, {}, problem=problem)


def unlinked(customer_id: str, problem: str) -> Difference:
    """Return the difference that a customer makes whose owner is known and could not be given it."""
    return Difference(WORDS[Customer], customer_id, {}, problem=problem, undone="linked")


def write(gathered: Gathering, rehearsal: Rehearsal | None = None) -> list[Difference]:
    """Write what was gathered into the transaction at hand, end it, and return what is different now.

    That includes customers that came inside other objects. In a rehearsal everything stays as it was.
    """
    if rehearsal is not None:
        rehearsal.restore(gathered.newer)
    watches = [Watch(model, gathered.newer[model]) for model in WORDS]
    gathered.write()
    found = {watch.model: watch.differences() for watch in watches}
    if rehearsal is None:
        db.session.commit()
    else:
        db.session.rollback()
        changed = {model: {each.polar_id for each in there} for model, there in found.items()}
        rehearsal.remember(gathered, changed)
    return [difference for there in found.values() for difference in there]


class Watch:
    """Remembers how some objects stand, to tell later what has become of them."""

    def __init__(self, model: type[Snapshot], ids: Iterable[str]) -> None:
        self.model = model
        self.ids = list(ids)
        self.before = _rows(model, self.ids)

    def differences(self) -> list[Difference]:
        """Return what is different now, within the transaction or after it."""
        kind = WORDS[self.model]
        found = []
        for polar_id, now in _rows(self.model, self.ids).items():
            old = self.before.get(polar_id)
            if old is None:
                found.append(Difference(kind, polar_id, {}, is_new=True))
            elif changes := {n: (old[n], now[n]) for n in now if old[n] != now[n]}:
                found.append(Difference(kind, polar_id, changes))
        return found


def _rows(model: type[Snapshot], ids: list[str]) -> dict[str, dict[str, Any]]:
    if not ids:
        return {}
    columns = [c for c in inspect(model).local_table.columns if c.name not in NOT_CONTENT]
    query = select(model.polar_id, *columns).where(model.polar_id.in_(ids))
    names = [column.name for column in columns]
    return {
        row[0]: dict(zip(names, map(_content, row[1:]), strict=True))
        for row in db.session.execute(query)
    }


def _content(value: Any) -> Any:
    """Return what a value says: the prices and benefits inside a product without their times."""
    if not isinstance(value, list):
        return value
    return [{k: v for k, v in each.items() if k not in TIMES} for each in value]


def _words(name: str, old: Any, new: Any) -> str:
    if isinstance(new, list | dict) and max(len(str(old)), len(str(new))) > LONGEST_VALUE:
        return f"{name} changed"
    return f"{name} {old!s} -> {new!s}"
