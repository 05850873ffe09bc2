"""Reading a JSON body field by field, with the complaints that Polar's schemas make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from email_validator import EmailNotValidError

from polar_emulator.api.formats import (
    COUNTRIES,
    LONGEST_METADATA_VALUE,
    no_metadata_value,
    normal_email,
    url_trouble,
    uuid_trouble,
)
from polar_emulator.clock import parse, stamp
from polar_emulator.errors import Problem, SchemaError, problem

LONGEST_METADATA_KEY = 40
MOST_METADATA_KEYS = 50
ADDRESS_PARTS = ("line1", "line2", "postal_code", "city", "state")


class Fields:
    """The fields of one body. Each reader keeps a value in `values` only when it was given.

    Problems are collected; `done()` raises them together as SchemaError, or returns the values.
    """

    def __init__(self, body: dict[str, Any], *where: str) -> None:
        self.body = body
        self.where: tuple[str, ...] = where or ("body",)
        self.values: dict[str, Any] = {}
        self.problems: list[Problem] = []

    def done(self) -> dict[str, Any]:
        """The values, or SchemaError."""
        if self.problems:
            raise SchemaError(self.problems)
        return self.values

    def need(self, name: str) -> bool:
        """Complain when a field is missing; True when it is there."""
        if name not in self.body:
            self.complain("missing", name, "Field required", self.body)
        return name in self.body

    def text(
        self, name: str, *, longest: int | None = None, empty: bool = True, null: bool = True
    ) -> None:
        """A string, or null unless that is refused."""
        value = self._given(name)
        if value is None and (null or name not in self.body):
            return
        if not isinstance(value, str):
            self.complain("string_type", name, "Input should be a valid string", value)
        elif longest is not None and len(value) > longest:
            message = f"String should have at most {longest} characters"
            self.complain("string_too_long", name, message, value, max_length=longest)
        elif not empty and not value.strip():
            message = "String should have at least 1 character"
            self.complain("string_too_short", name, message, value, min_length=1)

    def email(self, name: str) -> None:
        """An e-mail address; its domain is written in lower case from here on."""
        value = self._given(name)
        if value is None:
            return
        if not isinstance(value, str):
            self.complain("string_type", name, "Input should be a valid string", value)
            return
        try:
            self.values[name] = normal_email(value)
        except EmailNotValidError as error:
            message = f"value is not a valid email address: {error}"
            self.complain("value_error", name, message, value, reason=str(error))

    def url(self, name: str) -> None:
        """An absolute http(s) address."""
        value = self._given(name)
        if value is None:
            return
        reason = url_trouble(value)
        if reason:
            message = f"Input should be a valid URL, {reason}"
            self.complain("url_parsing", name, message, value, error=reason)

    def uuid(self, name: str, *, null: bool = True) -> None:
        """An id, or null unless that is refused."""
        value = self._given(name)
        trouble = None if value is None and (null or name not in self.body) else uuid_trouble(value)
        if trouble:
            message = f"Input should be a valid UUID, {trouble}"
            self.complain("uuid_parsing", name, message, value, error=trouble)

    def uuids(self, name: str, *, least: int = 0) -> None:
        """A list of ids."""
        value = self._given(name)
        if not isinstance(value, list):
            if name in self.body:
                self.complain("list_type", name, "Input should be a valid list", value)
            return
        if len(value) < least:
            message = f"List should have at least {least} item after validation, not {len(value)}"
            sizes = {"field_type": "List", "min_length": least, "actual_length": len(value)}
            self.complain("too_short", name, message, value, **sizes)
        for place, key in enumerate(value):
            trouble = uuid_trouble(key)
            if trouble:
                message = f"Input should be a valid UUID, {trouble}"
                where: tuple[str | int, ...] = (*self.where, name, place)
                self.problems.append(problem("uuid_parsing", where, message, key, error=trouble))

    def boolean(self, name: str) -> None:
        """True or false."""
        value = self._given(name)
        if value is not None and not isinstance(value, bool):
            message = "Input should be a valid boolean, unable to interpret input"
            self.complain("bool_parsing", name, message, value)

    def only_true(self, name: str) -> None:
        """Nothing but true; null is refused."""
        if name in self.body and self._given(name) is not True:
            given = self.body[name]
            self.complain("literal_error", name, "Input should be True", given, expected="True")

    def amounts(self, name: str) -> None:
        """Amounts in minor units by currency, or null."""
        value = self._given(name)
        if value is None:
            return
        wanted = isinstance(value, dict) and all(
            isinstance(amount, int) and not isinstance(amount, bool) and amount >= 0
            for amount in value.values()
        )
        if not wanted:
            self.complain("dict_type", name, "Input should be a valid dictionary", value)

    def integer(
        self, name: str, *, least: int = 0, most: int = 2**31 - 1, null: bool = True
    ) -> None:
        """A whole number, or null unless that is refused."""
        value = self._given(name)
        if value is None and (null or name not in self.body):
            return
        if isinstance(value, bool) or not isinstance(value, int):
            self.complain("int_type", name, "Input should be a valid integer", value)
        elif value < least:
            message = f"Input should be greater than or equal to {least}"
            self.complain("greater_than_equal", name, message, value, ge=least)
        elif value > most:
            message = f"Input should be less than or equal to {most}"
            self.complain("less_than_equal", name, message, value, le=most)

    def positive(self, name: str) -> None:
        """A whole number above 0; null is refused."""
        value = self._given(name)
        if name not in self.body:
            return
        if isinstance(value, bool) or not isinstance(value, int):
            self.complain("int_type", name, "Input should be a valid integer", value)
        elif value <= 0:
            self.complain("greater_than", name, "Input should be greater than 0", value, gt=0)

    def moment(self, name: str) -> None:
        """A date and time, or null."""
        value = self._given(name)
        if value is None:
            return
        try:
            self.values[name] = stamp(parse(value))
        except (TypeError, ValueError, OverflowError):
            message = "Input should be a valid datetime or date, invalid character in year"
            self.complain("datetime_from_date_parsing", name, message, value)

    def choice(self, name: str, options: Sequence[str], *, null: bool = True) -> None:
        """One of a few words, or null unless that is refused."""
        value = self._given(name)
        if value is None and (null or name not in self.body):
            return
        if not isinstance(value, str) or value not in options:
            quoted = [f"'{option}'" for option in options]
            expected = " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
            self.complain("enum", name, f"Input should be {expected}", value, expected=expected)

    def metadata(self, name: str) -> None:
        """Up to 50 keys with strings, numbers or booleans; null is refused."""
        value = self._given(name)
        if value is None:
            return
        if not isinstance(value, dict):
            self.complain("dict_type", name, "Input should be a valid dictionary", value)
            return
        if len(value) > MOST_METADATA_KEYS:
            message = f"Dictionary should have at most {MOST_METADATA_KEYS} items after validation"
            self.complain("too_long", name, message, value, max_length=MOST_METADATA_KEYS)
        for key, entry in value.items():
            self._metadata_entry(name, key, entry)

    def address(self, name: str) -> None:
        """An address with at least a country in two letters, or null; what is not given is null."""
        value = self._given(name)
        if value is None:
            return
        if not isinstance(value, dict):
            message = "Input should be a valid dictionary or object to extract fields from"
            self.complain("model_attributes_type", name, message, value)
            return
        parts = Fields(value, *self.where, name)
        if parts.need("country"):
            parts.choice("country", COUNTRIES, null=False)
        for part in ADDRESS_PARTS:
            parts.text(part)
        self.problems += parts.problems
        known = {part: value.get(part) for part in (*ADDRESS_PARTS, "country")}
        self.values[name] = known

    def mapping(self, name: str) -> None:
        """An object, or null."""
        value = self._given(name)
        if value is not None and not isinstance(value, dict):
            self.complain("dict_type", name, "Input should be a valid dictionary", value)

    def complain(self, kind: str, name: str, message: str, given: Any, **more: Any) -> None:
        """Note a problem with a field."""
        self.problems.append(problem(kind, (*self.where, name), message, given, **more))

    def _given(self, name: str) -> Any:
        if name in self.body:
            self.values[name] = self.body[name]
        return self.body.get(name)

    def _metadata_entry(self, name: str, key: str, entry: Any) -> None:
        where = (*self.where, name, key)
        if len(key) > LONGEST_METADATA_KEY:
            message = f"String should have at most {LONGEST_METADATA_KEY} characters"
            self.problems.append(
                problem("string_too_long", (*where, "[key]"), message, key, max_length=40)
            )
        if isinstance(entry, str) and len(entry) <= LONGEST_METADATA_VALUE:
            return
        if isinstance(entry, bool | int | float):
            return
        self.problems.extend(no_metadata_value(where, entry))
