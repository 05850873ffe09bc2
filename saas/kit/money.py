"""Amounts in a currency's own minor units: cents for the dollar, none for the yen."""

from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision, get_currency_symbol

LOCALE = "en_US"


def format_money(amount: int, currency: str) -> str:
    """Write ``amount`` minor units of ``currency`` (ISO 4217, any case) for people: ``$20``, ``¥500``.

    Whole amounts lose their zero fraction. An unknown currency is written with its code.
    """
    code = currency.upper()
    digits = get_currency_precision(code)
    value = Decimal(amount).scaleb(-digits)
    fraction = "" if value == value.to_integral_value() else "." + "0" * digits
    gap = "\xa0" if get_currency_symbol(code, LOCALE)[-1].isalpha() else ""
    pattern = f"¤{gap}#,##0{fraction}"
    return format_currency(value, code, pattern, locale=LOCALE, currency_digits=False)
