"""Which passwords are accepted, and how they are kept."""

import pytest

from saas.accounts import passwords
from saas.accounts.passwords import COMMON, NOBODYS_HASH, hash_password, matches, problem

pytestmark = pytest.mark.usefixtures("real_costs")


@pytest.mark.parametrize(
    "password",
    ["engine of analysis", "cycle 79", "ünïcödé", "🐘🐘🐘🐘🐘🐘🐘🐙", "x1" * 64, "e\u0301a" * 60],
)
def test_length_is_enough(password: str) -> None:
    assert (problem(password) is None) == (len(password) != 7)


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("a" * 7, "at least 8"),
        ("e\u0301" * 7, "at least 8"),
        ("x1" * 64 + "y", "at most 128"),
        ("x1" * 500_000, "at most 128"),
        ("password", "first"),
        ("PassWord1", "first"),
        ("\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44", "first"),
        ("aaaaaaaaaaaa", "first"),
        ("ada@example.com", "guess"),
        ("ADA@EXAMPLE.com", "guess"),
        ("ada.lovelace", "guess"),
    ],
)
def test_what_is_refused(password: str, word: str) -> None:
    email = "ada.lovelace@example.com" if password == "ada.lovelace" else "ada@example.com"
    sentence = problem(password, email)
    assert sentence is not None
    assert word in sentence


def test_the_list_holds_only_what_length_lets_through() -> None:
    assert len(COMMON) > 3000  # OWASP ASVS 5.0, 6.2.4
    assert all(len(word) >= passwords.MIN_LENGTH for word in COMMON)
    assert all(word == word.casefold() for word in COMMON)


def test_hashes() -> None:
    password_hash = hash_password("engine of analysis")
    assert password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert password_hash != hash_password("engine of analysis")
    assert matches(password_hash, "engine of analysis")
    assert not matches(password_hash, "Engine of analysis")
    assert not matches(password_hash, "")
    assert not matches(password_hash, "x" * 1_000_000)
    assert not matches("!", "engine of analysis")


def test_nobodys_hash_costs_what_the_others_cost() -> None:
    assert not passwords.needs_rehash(NOBODYS_HASH)
    assert not matches(NOBODYS_HASH, "")
