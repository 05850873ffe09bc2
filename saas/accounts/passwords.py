"""Passwords: which are accepted, and how they are kept."""

import unicodedata
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# Length is what counts, composition rules are not: NIST SP 800-63B, 3.1.1.
MIN_LENGTH = 8
MAX_LENGTH = 128  # Room for any passphrase.
MAX_TYPED = 4 * MAX_LENGTH  # An accent may be typed as a letter of its own.

# The 3,500 most frequent of 8 letters and more in Mark Burnett's public-domain list of ten million
# leaked passwords, as zxcvbn counts them, and what the yearly rankings of NordPass, SplashData and the
# UK's National Cyber Security Centre add. To refuse more, use a longer file.
COMMON = frozenset(
    Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").split()
)

# OWASP's first choice for argon2id. The library's default of 64 MiB peaks at 527 MB with 8 threads.
# https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# The hash, at the same costs, of a password that nobody has. It is checked when there is no
# account, so that the answer takes as long as with one.
NOBODYS_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$cUkL8POcBOEUmzX/9hb3LQ"
    "$F+FKB5IXRgOz+f8yiusEfOwd/kQJ89lMUcsWo9uH6QM"
)


def problem(password: str, email: str = "") -> str | None:
    """Return the sentence that says why ``password`` is not accepted, or ``None`` when it is."""
    normal = _normalise(password[: MAX_TYPED + 1])
    if len(normal) < MIN_LENGTH:
        return f"Use at least {MIN_LENGTH} characters. A few words in a row are a good password."
    if len(normal) > MAX_LENGTH:
        return f"Use at most {MAX_LENGTH} characters."
    folded = normal.casefold()
    if folded in COMMON or len(set(folded)) == 1:
        return "This password is among the first that anybody would try. Choose another."
    if email and folded in {email.casefold(), email.casefold().partition("@")[0]}:
        return "Your e-mail address is too easy to guess. Choose another password."
    return None


def hash_password(password: str) -> str:
    """Return the argon2id hash to store. Takes tens of milliseconds: hold no lock meanwhile."""
    return _hasher.hash(_normalise(password))


def matches(password_hash: str, password: str) -> bool:
    """True when ``password`` is the one that was hashed. Takes as long when it is not."""
    typed = password if len(password) <= MAX_TYPED else ""
    try:
        return _hasher.verify(password_hash, _normalise(typed))
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(password_hash: str) -> bool:
    """True when the hash was made with other costs than today's."""
    return _hasher.check_needs_rehash(password_hash)


def _normalise(password: str) -> str:
    # The same letters from another keyboard are the same password (NIST SP 800-63B, 3.1.1.2).
    return unicodedata.normalize("NFKC", password)
