"""A dry run: each step is written and rolled back, and the next one finds it as if it had been kept.

No transaction is held over the calls to Polar, so what earlier steps changed is kept here, and written
anew, and rolled back again, around whatever it matters to.
"""

from collections.abc import Collection, Mapping
from typing import Any

from saas.billing.models import Snapshot
from saas.billing.store import Gathering

Ids = Mapping[type[Snapshot], Collection[str]]


class Rehearsal:
    """What a dry run would have changed until now."""

    def __init__(self) -> None:
        self._changed = Gathering()

    def restore(self, ids: Ids | None = None) -> None:
        """Write into the transaction at hand what was changed: of these objects, or all of it."""
        (self._changed if ids is None else self._changed.only(ids)).write()

    def remember(self, gathered: Gathering, ids: Mapping[type[Any], Collection[str]]) -> None:
        """Note what has just been written, as far as it changed one of these objects."""
        self._changed.join(gathered.only(ids))
