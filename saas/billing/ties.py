"""Which of two snapshots counts that Polar dated the same and that say different things.

It does not happen in any recording. Should it happen, everybody must come to the same answer, whatever
arrives last: what cannot be taken back is the later one, and beyond that the content itself decides, which
is as good as a coin that always falls the same way. The next reading of the object settles it.
"""

import hashlib
from typing import Any

PROGRESS = ("draft", "pending", "paid", "partially_refunded", "refunded")  # Of an order.
FOR_GOOD = ("ended_at", "deleted_at", "is_deleted")  # Nothing comes back from there.
NOT_CONTENT = frozenset({"observed_at", "tie"})
RANK_BITS = 56


def tie(values: dict[str, Any]) -> int:
    """Return a number for the content of a snapshot; the larger one wins. It fits 63 bits."""
    content = sorted((key, value) for key, value in values.items() if key not in NOT_CONTENT)
    digest = hashlib.blake2b(repr(content).encode("utf-8", "surrogatepass"), digest_size=7)
    return _rank(values) << RANK_BITS | int.from_bytes(digest.digest(), "big")


def _rank(values: dict[str, Any]) -> int:
    if any(values.get(name) for name in FOR_GOOD):
        return len(PROGRESS)
    if values.get(
        "is_granted"
    ):  # It gives nothing away: it counts while its subscription is in force.
        return 1
    status = values.get("status")
    return PROGRESS.index(status) if status in PROGRESS else 0
