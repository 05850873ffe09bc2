"""The declarative base. Models are plain SQLAlchemy, so mypy and editors understand them."""

from typing import Any, ClassVar

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Parent of every model. Constraint names are fixed so that migrations can name them.

    A model with ``__table_args__`` of its own ends them with ``Base.NUMBERS_ONCE``.
    """

    # A job, a limit or the audit log may name a row that is gone. SQLite would give its id to the next.
    NUMBERS_ONCE: ClassVar[dict[str, bool]] = {"sqlite_autoincrement": True}
    __table_args__: Any = NUMBERS_ONCE

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
