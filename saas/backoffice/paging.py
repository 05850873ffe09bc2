"""Lists page by page, by the key of the last row: the thousandth page costs as much as the first."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from flask import request

T = TypeVar("T")

ROWS = 25


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, and the query that leads to the next ones; empty when these are the last."""

    rows: Sequence[T]
    more: dict[str, str] = field(default_factory=dict)


def cut(rows: Sequence[T], key: str, attribute: str = "id") -> Page[T]:
    """Make a page of rows, of which one more than ``ROWS`` was asked for to see whether there are more."""
    shown = rows[:ROWS]
    if len(rows) <= ROWS:
        return Page(shown)
    return Page(shown, {key: str(getattr(shown[-1], attribute))})


def number(name: str) -> int | None:
    """Return a positive whole number of the address, or ``None`` for anything else."""
    value = request.args.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def text(name: str, longest: int = 254) -> str:
    """Return a word of the address, cut and without what no database takes."""
    return request.args.get(name, "").replace("\x00", "").strip()[:longest]
