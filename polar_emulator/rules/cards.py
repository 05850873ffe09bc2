"""Test cards: which numbers exist here and what they do."""

from __future__ import annotations

PAYS = "4242424242424242"
DECLINES = "4000000000000002"
TEST_CARDS_SENTENCE = "Use a test card: 4242 4242 4242 4242 pays, 4000 0000 0000 0002 is declined."
# The browser sends this instead of a card number, as the real one sends a token of Stripe's.
PAYING_TOKEN = "ctoken_pays"  # noqa: S105
DECLINING_TOKEN = "ctoken_declined"  # noqa: S105


def digits(text: str) -> str:
    """A card number without the spaces and hyphens that people type."""
    return "".join(text.split()).replace("-", "")


def is_valid(number: str) -> bool:
    """Whether a number has the length and the check digit (Luhn) of a card."""
    if not (number.isascii() and number.isdigit() and 12 <= len(number) <= 19):
        return False
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def token_for(number: str) -> str | None:
    """The confirmation token of a test card, None for any other number."""
    return {PAYS: PAYING_TOKEN, DECLINES: DECLINING_TOKEN}.get(number)


def is_declined(token: str) -> bool:
    """Whether a confirmation token stands for a card that is declined."""
    return "decline" in token
