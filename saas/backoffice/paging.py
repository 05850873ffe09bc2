"""Lists page by page, by the key of the last row: the thousandth page costs as much as the first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from flask import request
from werkzeug.datastructures import MultiDict

T = TypeVar("T")

ROWS = 25
LONGEST_WORD = 254  # An address.


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


def text(name: str, given: Mapping[str, str] | None = None) -> str:
    """Return a word of the address, or of a form, cut and without what no database takes."""
    words = (request.args if given is None else given).get(name, "")
    return words.replace("\x00", "").strip()[:LONGEST_WORD]


def chosen(form: MultiDict[str, str]) -> list[int]:
    """Return the numbers of the rows whose boxes are checked."""
    values = form.getlist("ids")[:ROWS]
    return [
        int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 10
    ]
