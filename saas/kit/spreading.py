"""Waits that differ, so that processes which began together do not all come back at the same moment."""

import secrets

_dice = (
    secrets.SystemRandom()
)  # Whoever seeds the generator of the module, as tests do, has it alone.


def spread(seconds: float, least: float) -> float:
    """Return a wait of at most so many seconds, and of at least that part of them."""
    return seconds * _dice.uniform(least, 1)
