"""Amounts in a currency's own minor units: cents for the dollar, none for the yen."""

from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision

LOCALE = "en_US"


def format_money(amount: int, currency: str) -> str:
    """Write ``amount`` minor units of ``currency`` (ISO 4217, any case) for people: ``$20``, ``¥500``.

    Whole amounts lose their zero fraction. An unknown currency is written with its code.
    """
    code = currency.upper()
    digits = get_currency_precision(code)
    value = Decimal(amount).scaleb(-digits)
    if value == value.to_integral_value():
        pattern = "¤#,##0"
        return format_currency(value, code, pattern, locale=LOCALE, currency_digits=False)
    return format_currency(value, code, locale=LOCALE)
