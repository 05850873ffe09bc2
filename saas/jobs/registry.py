"""Which kinds of job there are: a name, the function that does it, and how it is to be treated."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

# With the waits in ``running``: two and a half days, so that a mail server may be away for a weekend.
ATTEMPTS = 20


class GiveUp(Exception):
    """Raised by a job that will fail every time. It is not tried again until somebody says so."""


@dataclass(frozen=True)
class Kind:
    """How jobs of one name are done. ``in_web``: a web process may, where there is no worker."""

    name: str
    function: Callable[..., Any]
    attempts: int = ATTEMPTS
    one_at_a_time: bool = False
    in_web: bool = True

    @property
    def lane(self) -> str | None:
        """What only one job at a time may have."""
        return self.name if self.one_at_a_time else None


_kinds: dict[str, Kind] = {}


def handler(
    name: str, *, attempts: int = ATTEMPTS, one_at_a_time: bool = False, in_web: bool = True
) -> Callable[[Function], Function]:
    """Make a function the one that does the jobs of this name.

    It gets the arguments of the job, and may run twice: a worker can die between the work and the note
    that it is done.
    """

    def register(function: Function) -> Function:
        _kinds[name] = Kind(name, function, attempts, one_at_a_time, in_web)
        return function

    return register


def kind(name: str) -> Kind | None:
    """Return the kind of this name, or ``None``: a newer version may have written the job."""
    return _kinds.get(name)


def names(*, in_web: bool) -> list[str]:
    """Return the names of all kinds, or of those that a web process may do."""
    return [found.name for found in _kinds.values() if found.in_web or not in_web]
