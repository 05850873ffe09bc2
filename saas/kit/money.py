"""Amounts in a currency's own minor units: cents for the dollar, none for the yen."""

from decimal import Decimal

from babel.numbers import format_currency, get_currency_symbol

LOCALE = "en_US"

# How payment processors count, which is neither ISO 4217 nor CLDR to the letter (CLDR writes no
# digits for the Serbian dinar): https://docs.stripe.com/currencies#zero-decimal
NO_DIGITS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV"}
    | {"XAF", "XOF", "XPF"}
)
THREE_DIGITS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])


def minor_unit_digits(currency: str) -> int:
    """Return how many digits of an amount are behind the point: 2 for usd, 0 for jpy, 3 for kwd."""
    code = currency.upper()
    return 0 if code in NO_DIGITS else 3 if code in THREE_DIGITS else 2


def format_money(amount: int, currency: str) -> str:
    """Write ``amount`` minor units of ``currency`` (ISO 4217, any case) for people: ``$20``, ``¥500``.

    Whole amounts lose their zero fraction. An unknown currency is written with its code.
    """
    code = currency.upper()
    digits = minor_unit_digits(code)
    value = Decimal(amount).scaleb(-digits)
    fraction = "" if value == value.to_integral_value() else "." + "0" * digits
    gap = "\xa0" if get_currency_symbol(code, LOCALE)[-1:].isalpha() else ""
    pattern = f"¤{gap}#,##0{fraction}"
    return format_currency(value, code, pattern, locale=LOCALE, currency_digits=False)
