"""Metadata that a front end wants to give to a purchase, held to Polar's rules before Polar sees it."""

from http import HTTPStatus

from saas.errors import AppError

RESERVED = frozenset({"user_id"})  # Ours: it says who began the checkout.
MAX_KEYS = 50 - len(RESERVED)
MAX_KEY_LENGTH = 40
MAX_TEXT_LENGTH = 500
LARGEST = 2**53  # Beyond, JSON numbers lose digits on the way; infinities and NaN are out as well.

Value = str | int | float | bool


class BadMetadata(AppError):
    """It is not what Polar takes, or uses a name of ours. The message says which."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "bad_metadata"


def readable_metadata(given: object) -> dict[str, Value]:
    """Return ``given`` without its null values. Raises ``BadMetadata``.

    Up to 49 names of up to 40 letters; values are text of 1 to 500 letters, numbers, true or false.
    """
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise BadMetadata("metadata must be an object.")
    found = {name: value for name, value in given.items() if value is not None}
    if reserved := sorted(RESERVED & given.keys()):
        raise BadMetadata(f"metadata.{reserved[0]} is reserved.")
    if len(found) > MAX_KEYS:
        raise BadMetadata(f"metadata has more than {MAX_KEYS} names.")
    for name, value in found.items():
        _check(name, value)
    return found


def _check(name: str, value: object) -> None:
    if not 0 < len(name) <= MAX_KEY_LENGTH or not _is_storable(name):
        raise BadMetadata(f"A name in metadata must have 1 to {MAX_KEY_LENGTH} letters.")
    if isinstance(value, str):
        if not 0 < len(value) <= MAX_TEXT_LENGTH or not _is_storable(value):
            raise BadMetadata(f"metadata.{name} must have 1 to {MAX_TEXT_LENGTH} letters.")
    elif not isinstance(value, bool | int | float) or not -LARGEST <= value <= LARGEST:
        raise BadMetadata(f"metadata.{name} must be text, a number, true or false.")


def _is_storable(text: str) -> bool:
    """True for text that a database takes: no NUL, and no half of a pair of UTF-16."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
