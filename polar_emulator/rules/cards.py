"""Test cards: which numbers exist here and what they do, and the card that a customer has on file."""

from __future__ import annotations

from polar_emulator.store import Doc

PAYS = "4242424242424242"
DECLINES = "4000000000000002"
FAILS_LATER = "4000000000000341"
# These want the buyer to confirm the payment with the bank first, as 3-D Secure does.
ASKS = "4000002760003184"
ASKS_AT_FIRST = "4000002500003155"
TEST_CARDS_SENTENCE = (
    "Use a test card: 4242 4242 4242 4242 pays, 4000 0000 0000 0002 is declined, "
    "4000 0000 0000 0341 pays once and fails later, 4000 0025 0000 3155 asks the buyer to confirm."
)
# The browser sends one of these instead of a card number, as the real one sends a token of Stripe's.
PAYING_TOKEN = "ctoken_pays"  # noqa: S105
DECLINING_TOKEN = "ctoken_declined"  # noqa: S105
FAILING_LATER_TOKEN = "ctoken_fails_later"  # noqa: S105
TOKENS = {
    PAYS: PAYING_TOKEN,
    DECLINES: DECLINING_TOKEN,
    FAILS_LATER: FAILING_LATER_TOKEN,
    ASKS: PAYING_TOKEN,
    ASKS_AT_FIRST: PAYING_TOKEN,
}
# What `card` of a customer can be, beside None for no card at all.
GOOD, FAILING = "paying", "failing"


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
    return TOKENS.get(number)


def wants_confirmation(number: str) -> bool:
    """Whether the buyer has to confirm a payment with this card on a page of the bank."""
    return number in (ASKS, ASKS_AT_FIRST)


def is_declined(token: str) -> bool:
    """Whether a confirmation token stands for a card that is declined."""
    return "decline" in token


def kept_as(token: str) -> str:
    """What the card behind a token is on file: one that pays, or one that fails from now on."""
    return FAILING if "fails_later" in token else GOOD


def pays(customer: Doc) -> bool:
    """Whether the card that a customer has on file can be charged."""
    return bool(customer["card"] == GOOD)
