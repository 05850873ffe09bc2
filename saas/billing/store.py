"""One statement that keeps the newer of two snapshots, whatever order they arrive in.

A row is replaced only by a snapshot that is not older, compared by ``(modified_at, observed_at)``. The
comparison happens inside the database, in the same statement as the write, so two workers cannot get
between each other. It makes every row the maximum of all snapshots seen: repetition and disorder
change nothing.
"""

from typing import Any, cast

from sqlalchemy import Table, inspect, tuple_

from saas.billing.models import Snapshot
from saas.extensions import db, insert


def keep_newer(model: type[Snapshot], values: dict[str, Any]) -> None:
    """Insert the snapshot, or replace the stored one unless that is newer. ``values`` by attribute name."""
    table, row = _row(model, values)
    statement = insert(table).values(row)
    new = statement.excluded
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=[table.c.polar_id],
            set_={name: new[name] for name in row if name != "polar_id"},
            where=tuple_(new.modified_at, new.observed_at)
            >= tuple_(table.c.modified_at, table.c.observed_at),
        )
    )


def keep_existing(model: type[Snapshot], values: dict[str, Any]) -> None:
    """Insert the snapshot only when there is none: for objects that are shown to us in part."""
    table, row = _row(model, values)
    statement = insert(table).values(row)
    db.session.execute(statement.on_conflict_do_nothing(index_elements=[table.c.polar_id]))


def _row(model: type[Snapshot], values: dict[str, Any]) -> tuple[Table, dict[str, Any]]:
    mapper = inspect(model)
    table = cast(Table, mapper.local_table)
    return table, {mapper.columns[name].name: value for name, value in values.items()}
