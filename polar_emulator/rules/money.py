"""Amounts: tax, the platform's fee, proration. Everything in minor units of the currency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

# VAT in percent, for buyers in these countries; prices include it there. Elsewhere tax is 0 and
# comes on top, as recorded for the United States without a registration. Enough for tests.
VAT_PERCENT = {
    "AT": 20, "BE": 21, "BG": 20, "CY": 19, "CZ": 21, "DE": 19, "DK": 25, "EE": 24, "ES": 21,
    "FI": 25.5, "FR": 20, "GB": 20, "GR": 24, "HR": 25, "HU": 27, "IE": 23, "IT": 22, "LT": 21,
    "LU": 17, "LV": 21, "MT": 18, "NL": 21, "PL": 23, "PT": 23, "RO": 21, "SE": 25, "SI": 22,
    "SK": 23,
}  # fmt: skip
# Recorded: 5 % and 50 minor units on every paid order.
FEE_PERCENT = 5
FEE_FIXED = 50


@dataclass(frozen=True)
class Tax:
    """What an amount consists of. `behavior` is None as long as the buyer's country is unknown."""

    net: int
    tax: int | None
    total: int
    behavior: str | None


def tax_on(amount: int, address: dict[str, Any] | None) -> Tax:
    """The tax in or on an amount for a buyer with this address."""
    if amount == 0:
        return Tax(0, 0, 0, None)
    if not address:
        return Tax(amount, None, amount, None)
    percent = VAT_PERCENT.get(address["country"])
    if percent is None:
        return Tax(amount, 0, amount, "exclusive")
    net = round_half_up(Fraction(amount) / (1 + Fraction(percent) / 100))
    return Tax(net, amount - net, amount, "inclusive")


def platform_fee(total: int) -> int:
    """What Polar keeps of a paid order."""
    return round_half_up(Fraction(total * FEE_PERCENT, 100)) + FEE_FIXED if total else 0


def prorated(amount: int, now: datetime, start: datetime, end: datetime) -> int:
    """The part of an amount for the rest of a period, by the second of its real length."""
    length = (end - start).total_seconds()
    left = max((end - now).total_seconds(), 0)
    return round_half_up(Fraction(amount) * Fraction(left) / Fraction(length))


def round_half_up(value: Fraction) -> int:
    """The nearest whole number; halves go up."""
    return int((value + Fraction(1, 2)) // 1)
