"""What it costs to hash a password: the same algorithm, in earnest or for next to nothing."""

from typing import NamedTuple

from argon2 import PasswordHasher

from saas.accounts import passwords
from tests.browsing import hashed


class Costs(NamedTuple):
    """A hasher, and at its costs the hash of a password that nobody has."""

    hasher: PasswordHasher
    nobodys_hash: str


REAL = Costs(passwords._hasher, passwords.NOBODYS_HASH)
_LEAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
LEAST = Costs(_LEAST, _LEAST.hash("a password that nobody has"))


def hash_at(costs: Costs) -> None:
    """Hash at these costs from now on. A hash at others would be renewed at the next sign-in."""
    passwords._hasher, passwords.NOBODYS_HASH = costs
    hashed.cache_clear()
