"""Signed tokens for links: for one purpose and a limited time, readable, but forgeable by nobody.

A token proves that we wrote it. That it works only once is the business of its user, who puts
something into it that changes when it is used.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from itsdangerous import BadData, URLSafeTimedSerializer


class TokenError(Exception):
    """The token is damaged, too old, signed with another key, or made for another purpose."""


def sign(keys: Sequence[str], purpose: str, payload: str) -> str:
    """Return ``payload`` as URL-safe text, signed with the last of ``keys`` and dated now."""
    return str(_serializer(keys, purpose).dumps(payload))


def read(keys: Sequence[str], purpose: str, token: str, max_age: timedelta) -> str:
    """Return the payload of a token that any of ``keys`` signed at most ``max_age`` ago.

    Raises ``TokenError``, without telling which of the reasons it was.
    """
    try:
        return str(_serializer(keys, purpose).loads(token, max_age=int(max_age.total_seconds())))
    except BadData as error:
        raise TokenError from error


def _serializer(keys: Sequence[str], purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        list(keys),
        salt=f"token:{purpose}",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
