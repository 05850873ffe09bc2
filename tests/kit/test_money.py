"""Amounts in minor units, as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.kit.money import format_money, minor_unit_digits


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (2000, "usd", "$20"),
        (1999, "usd", "$19.99"),
        (0, "usd", "$0"),
        (-500, "usd", "-$5"),
        (123456789, "eur", "€1,234,567.89"),
        (500, "jpy", "¥500"),
        (1234, "KWD", "KWD\xa01.234"),
        (5000, "kwd", "KWD\xa05"),
        (1050, "gbp", "£10.50"),
        (199900, "rsd", "RSD\xa01,999"),
        (199950, "RSD", "RSD\xa01,999.50"),
        (500, "krw", "₩500"),
        (100, "xyz", "XYZ\xa01"),
        (2050, "", "20.50"),
    ],
)
def test_format_money(amount: int, currency: str, words: str) -> None:
    assert format_money(amount, currency) == words


@given(st.integers(-(10**12), 10**12), st.sampled_from(["usd", "jpy", "kwd"]))
def test_no_digit_is_lost(amount: int, currency: str) -> None:
    words = format_money(amount, currency)
    whole, _, fraction = words.partition(".")
    digits = "".join(char for char in whole if char.isdigit())
    precision = minor_unit_digits(currency)
    value = int(digits) * 10**precision + int((fraction or "0").ljust(precision, "0") or 0)
    assert value == abs(amount)
    assert words.startswith("-") == (amount < 0)
