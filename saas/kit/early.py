"""Objects that are read before there is a session, and are in it from its first moment.

Most pages only look at who is signed in, and to make a session for that takes longer than to read it. As soon
as somebody asks for one, by ``db.session``, the object is in it as if the session had read it: what was
changed meanwhile is written with the next commit, and whoever asks for the same row gets the same object.
``object_session`` knows of none before that: a model with methods that need one uses ``db.session``.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from flask import g
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Column
from sqlalchemy.orm import (
    ColumnProperty,
    Mapper,
    RelationshipProperty,
    class_mapper,
    make_transient_to_detached,
)

from saas.kit.compiled import CompiledSelect, needs_session

WAITING = "waiting_for_a_session"
EAGER = ("joined", False, "subquery", "selectin", "immediate")  # As `lazy` of a relationship.


def attach_the_waiting(db: SQLAlchemy) -> None:
    """Have ``db.session`` begin with what was read without it, and no other session."""
    make = db.session.session_factory

    def begin() -> Any:
        session = make()
        session.add_all(g.pop(WAITING, ()))
        return session

    db.session.registry.createfunc = begin


class EarlySelect:
    """A ``SELECT`` of an object and more columns that needs no session, for what every signed-in page reads.

    ``make`` returns ``select(model, *columns)``. An object with relationships is put into a session at once,
    since they are read through one. One that SQLAlchemy makes in another way than by setting its columns
    (inheritance, deferred columns, relationships that come with it, listeners to loading) is left to it
    altogether, as is everything when somebody listens to sessions.
    """

    def __init__(self, model: type[Any], make: Callable[[], Any]) -> None:
        self._model = model
        self._select = CompiledSelect(make)

    def first(self, db: SQLAlchemy, values: Mapping[str, Any]) -> Sequence[Any] | None:
        """Return the object and the columns beside it, or ``None``. Raises what SQLAlchemy raises."""
        names = self._names
        is_begun = db.session.registry.has() or WAITING in g  # It may be the same one again.
        if not names or is_begun or needs_session(db):
            return db.session.execute(self._select.statement, values).unique().first()
        rows = self._select.rows_alone(db.engine, values)
        if not rows:
            return None
        found = self._made(dict(zip(names, rows[0], strict=False)))
        if self._has_relationships:
            db.session.add(found)
        else:
            g.setdefault(WAITING, []).append(found)
        return (found, *rows[0][len(names) :])

    @cached_property
    def _mapper(self) -> Mapper[Any]:
        return class_mapper(self._model)

    @property  # Another model may still tell of one.
    def _has_relationships(self) -> bool:
        return bool(self._mapper.relationships)

    @cached_property
    def _names(self) -> list[str]:
        """The attributes in the order of the columns; none when only SQLAlchemy can make the object."""
        if not _is_plain(self._mapper):
            return []
        columns = list(self._select.statement.selected_columns)[: len(self._mapper.columns)]
        return [self._mapper.get_property_by_column(column).key for column in columns]

    def _made(self, values: dict[str, Any]) -> Any:
        made = self._mapper.class_manager.new_instance()
        made.__dict__.update(values)
        make_transient_to_detached(made)
        return made


def _is_plain(mapper: Mapper[Any]) -> bool:
    """True when nothing but the values of its columns makes an object."""
    is_alone = mapper.inherits is None and mapper.polymorphic_on is None
    is_watched = len(mapper.class_manager.dispatch.load) > 0
    return is_alone and not is_watched and all(_is_read_at_once(each) for each in mapper.attrs)


def _is_read_at_once(attribute: Any) -> bool:
    if isinstance(attribute, RelationshipProperty):
        return attribute.lazy not in EAGER
    if not isinstance(attribute, ColumnProperty) or attribute.deferred:
        return False
    return len(attribute.columns) == 1 and isinstance(attribute.columns[0], Column)
