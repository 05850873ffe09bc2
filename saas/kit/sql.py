"""Parts of statements that are put together once and run for every page."""

from sqlalchemy import ColumnElement, SQLColumnExpression, String, literal_column, or_


def word(text: str) -> ColumnElement[str]:
    """Return a word of ours as a part of the statement: a parameter would be put together each time.

    Raises ``ValueError`` for anything but letters, digits, ``_`` and single spaces: never pass what somebody
    typed.
    """
    if not text.replace("_", "").replace(" ", "").isalnum():
        raise ValueError(f"not a word of ours: {text!r}")
    return literal_column(f"'{text}'", String)


def is_one_of(column: SQLColumnExpression[str], words: tuple[str, ...]) -> ColumnElement[bool]:
    """True for any of these words; ``in_`` would spell them out anew each time."""
    return or_(*(column == word(each) for each in words))
