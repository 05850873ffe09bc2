"""What was found, and what to do about it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. ``cure`` is empty when it is in order."""

    name: str
    is_good: bool
    words: str
    cure: str = ""


def good(name: str, words: str) -> Finding:
    """Return a finding that is in order."""
    return Finding(name, True, words)


def bad(name: str, words: str, cure: str) -> Finding:
    """Return a finding that is not."""
    return Finding(name, False, words, cure)
