"""One spelling for each mailbox."""

import pytest

from saas.accounts.addresses import normalise
from saas.accounts.errors import InvalidAddress


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada.Lovelace+News@EXAMPLE.Com ", "ada.lovelace+news@example.com"),
        ("ada@Bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
        ("o'hara@example.co.uk", "o'hara@example.co.uk"),
        ("ada@shop.test", "ada@shop.test"),
    ],
)
def test_spellings(typed: str, stored: str) -> None:
    assert normalise(typed) == stored
    assert normalise(stored) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "ada@localhost",
        "ada@@example.com",
        "ada@[127.0.0.1]",
        "straße@example.com",
        "ada@example.com, eve@example.com",
        "ada@example.com\nBcc: eve@example.com",
        "ada\x00@example.com",
        "Ada <ada@example.com>",
        "a@" + "b." * 130 + "com",
        "x" * 100_000,
    ],
)
def test_what_is_no_address(typed: str) -> None:
    with pytest.raises(InvalidAddress):
        normalise(typed)
