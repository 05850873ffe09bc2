"""The newer of two snapshots is kept, whatever order they arrive in.

A row is replaced only by a snapshot that is not older, compared by ``(modified_at, observed_at, tie)``. The
comparison happens inside the database, in the same statement as the write, so two workers cannot get
between each other. It makes every row the maximum of all snapshots seen: repetition and disorder
change nothing.

Within ``gathering`` the snapshots of a whole transaction are written together at its end: one statement
for each table, tables and rows always in the same order, so that two transactions never wait for each other.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, cast

from sqlalchemy import Connection, Table, bindparam, case, func, inspect, select, tuple_, update

from saas.accounts.models import User
from saas.billing import outstanding
from saas.billing.models import Benefit, Customer, Grant, Order, Product, Snapshot, Subscription
from saas.billing.ties import tie
from saas.extensions import db, insert

Values = dict[str, Any]
AGE = ("modified_at", "observed_at", "tie")
ORDER: tuple[type[Snapshot], ...] = (Customer, Product, Benefit, Subscription, Order, Grant)


class Gathering:
    """Snapshots and links that are waiting to be written."""

    def __init__(self) -> None:
        self.newer: dict[type[Snapshot], dict[str, Values]] = {model: {} for model in ORDER}
        self.existing: dict[type[Snapshot], dict[str, Values]] = {model: {} for model in ORDER}
        self.links: dict[str, str] = {}

    def keep_newer(self, model: type[Snapshot], values: Values) -> None:
        """Remember a snapshot, unless a newer one of the same object is waiting."""
        if "tie" not in values:
            values = values | {"tie": tie(values)}
        waiting = self.newer[model].get(values["polar_id"])
        if waiting is None or _age(values) >= _age(waiting):
            self.newer[model][values["polar_id"]] = values

    def join(self, other: "Gathering") -> None:
        """Take over everything from another one."""
        for model in ORDER:
            for values in other.newer[model].values():
                self.keep_newer(model, values)
            self.existing[model] |= other.existing[model]
        self.links |= other.links

    def only(self, ids: Mapping[type[Any], Collection[str]]) -> "Gathering":
        """Return what is here about these objects."""
        found = Gathering()
        for model in ORDER:
            wanted = ids.get(model, ())
            found.newer[model] = {k: v for k, v in self.newer[model].items() if k in wanted}
            found.existing[model] = {k: v for k, v in self.existing[model].items() if k in wanted}
        linked = ids.get(Customer, ())
        found.links = {k: v for k, v in self.links.items() if k in linked}
        return found

    def write(self) -> None:
        """Write all of it into the transaction at hand."""
        for model in ORDER:
            if self.existing[model]:
                _execute(_insert_missing, model, self.existing[model])
            if model is Subscription and self.newer[model]:
                outstanding.note(self.newer[model].values())
            if self.newer[model]:
                _execute(_insert_newer, model, self.newer[model])
            if model is Customer and self.links:
                links = [
                    {"polar": polar, "ours": ours} for polar, ours in sorted(self.links.items())
                ]
                db.session.connection().execute(_link(), links)


_gathering: ContextVar[Gathering | None] = ContextVar("gathering", default=None)


@contextmanager
def gathering() -> Iterator[Gathering]:
    """Collect what is kept in this block instead of writing it; the caller calls ``write``."""
    gathered = Gathering()
    token = _gathering.set(gathered)
    try:
        yield gathered
    finally:
        _gathering.reset(token)


def keep_newer(model: type[Snapshot], values: Values) -> None:
    """Insert the snapshot, or replace the stored one unless that is newer. ``values`` by attribute name."""
    with _present() as gathered:
        gathered.keep_newer(model, values)


def keep_existing(model: type[Snapshot], values: Values) -> None:
    """Insert the snapshot only when there is none: for objects that are shown to us in part."""
    with _present() as gathered:
        gathered.existing[model].setdefault(values["polar_id"], values)


def link(polar_id: str, external_id: str) -> None:
    """Note the user behind a customer, or for whom it waits.

    That stays, since Polar forgets our id when it deletes one. Only our id itself says more: a customer
    that was linked by a proven address, while it had none, is theirs whose id it carries.
    """
    with _present() as gathered:
        gathered.links[polar_id] = external_id


def link_by_address(polar_id: str, user_id: int) -> None:
    """Give a user a customer that has their proven address and nobody's id, if it is so in this moment."""
    table = _table(Customer)
    same = func.lower(User.email) == func.lower(table.c.email)
    is_theirs = select(User.id).where(
        User.id == user_id, same, User.email_confirmed_at.is_not(None)
    )
    nobodys = (table.c[name].is_(None) for name in ("user_id", "external_id", "deleted_at"))
    mine = (table.c.polar_id == polar_id, is_theirs.exists(), *nobodys)
    db.session.connection().execute(update(table).where(*mine).values(user_id=user_id))


def link_awaited(user: User) -> None:
    """Give a user the customers that came with their id before they had an account."""
    db.session.connection().execute(*_awaited(user))


def on_user_made(_mapper: object, connection: Connection, user: User) -> None:
    """The same, as part of the transaction that makes the account."""
    connection.execute(*_awaited(user))


@contextmanager
def _present() -> Iterator[Gathering]:
    """The gathering of this block, or one that is written at once."""
    gathered = _gathering.get()
    if gathered is not None:
        yield gathered
        return
    alone = Gathering()
    yield alone
    alone.write()


def _age(values: Values) -> tuple[Any, ...]:
    return tuple(values[name] for name in AGE)


def _execute(make: Any, model: type[Snapshot], rows: dict[str, Values]) -> None:
    names = tuple(next(iter(rows.values())))
    statement = make(model, names, db.engine.dialect.name)
    db.session.connection().execute(statement, [rows[polar_id] for polar_id in sorted(rows)])


@cache
def _insert_newer(model: type[Snapshot], names: tuple[str, ...], _dialect: str) -> Any:
    table, columns = _table(model), _columns(model, names)
    statement = insert(table).values(columns)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[table.c.polar_id],
        set_={name: new[name] for name in columns if name != "polar_id"},
        where=tuple_(*(new[name] for name in AGE)) >= tuple_(*(table.c[name] for name in AGE)),
    )


@cache
def _insert_missing(model: type[Snapshot], names: tuple[str, ...], _dialect: str) -> Any:
    statement = insert(_table(model)).values(_columns(model, names))
    return statement.on_conflict_do_nothing(index_elements=[_table(model).c.polar_id])


@cache
def _link() -> Any:
    table = _table(Customer)
    ours: Any = bindparam("ours")
    user_id = select(User.id).where(User.public_id == ours).scalar_subquery()
    is_anothers = select(User.id).where(User.id == table.c.user_id, User.public_id != ours).exists()
    return (
        update(table)
        .where(table.c.polar_id == bindparam("polar"), table.c.user_id.is_(None) | is_anothers)
        .values(user_id=user_id, awaits=case((user_id.is_(None), ours)))
    )


def _awaited(user: User) -> tuple[Any, dict[str, Any]]:
    return _link_awaited(), {"ours": user.public_id, "whose": user.id}


@cache
def _link_awaited() -> Any:
    table = _table(Customer)
    return (
        update(table)
        .where(table.c.awaits == bindparam("ours"), table.c.user_id.is_(None))
        .values(user_id=bindparam("whose"), awaits=None)
    )


def _columns(model: type[Snapshot], names: tuple[str, ...]) -> Values:
    """Return a parameter for each column; attributes and columns may have different names."""
    mapper = inspect(model)
    return {mapper.columns[name].name: bindparam(name) for name in names}


def _table(model: type[Snapshot]) -> Table:
    return cast(Table, inspect(model).local_table)
