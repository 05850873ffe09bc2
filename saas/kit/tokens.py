"""Signed tokens for links: for one purpose and a limited time, readable, but forgeable by nobody.

A token proves that we wrote it. That it works only once is the business of its user, who puts
something into it that changes when it is used.
"""

import hashlib
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import itsdangerous
from itsdangerous import (
    BadData,
    SignatureExpired,
    TimedSerializer,
    TimestampSigner,
    URLSafeTimedSerializer,
)
from itsdangerous.encoding import base64_encode

from saas.kit.datetimes import utcnow

CONSTANT = (str, bytes, bool, int, float, type(None))
SHORT_BYTES = 160  # A first visit has 60, who is signed in 300.
MAX_READ = 1000  # By each process, of some hundred bytes; whoever has many cookies must not fill the memory.


class TokenError(Exception):
    """The token is damaged, too old, signed with another key, or made for another purpose."""


class Signer(TimestampSigner):
    """Takes what is dated later than now, too: the machine that signed it has a clock that is ahead of ours.

    itsdangerous calls that expired, and a tenth of a second is enough. The key is derived once.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._derived: dict[str | bytes | None, bytes] = {}

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        """Return the key of this purpose that belongs to a secret, else to the newest one."""
        found = self._derived.get(secret_key)
        if found is None:
            found = self._derived[secret_key] = super().derive_key(secret_key)
        return found

    def unsign(
        self, signed_value: str | bytes, max_age: int | None = None, *how: Any, **named: Any
    ) -> Any:
        """Return the value. Raises ``BadData`` when it is not ours, or older than ``max_age`` seconds."""
        try:
            return super().unsign(signed_value, max_age, *how, **named)
        except SignatureExpired as error:
            if error.date_signed is None or error.date_signed <= utcnow():
                raise
            return super().unsign(signed_value, None, *how, **named)


class RememberingSerializer(URLSafeTimedSerializer):
    """Checks and reads the same text once, and from then on only looks at its age.

    For cookies, which come with each request of a browser. Only what was signed by us is remembered, and only
    objects without anything in them that could be changed: everybody gets an object of their own.

    What is short is written as it is; to try and compress it takes longer than to sign it.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._read: dict[str | bytes, tuple[float, dict[str, Any]]] = {}
        self._signer = super().make_signer()

    def make_signer(self, salt: str | bytes | None = None) -> itsdangerous.Signer:
        """Return what signs; the same one each time."""
        return self._signer if salt in {None, self.salt} else super().make_signer(salt)

    def dump_payload(self, obj: Any) -> bytes:
        """Return an object as text that can stand in a cookie."""
        json = TimedSerializer.dump_payload(self, obj)
        return base64_encode(json) if len(json) < SHORT_BYTES else super().dump_payload(obj)

    def loads(  # type: ignore[override]  # As in itsdangerous.
        self,
        s: str | bytes,
        max_age: int | None = None,
        return_timestamp: bool = False,
        salt: str | bytes | None = None,
    ) -> Any:
        """Return the object, or with ``return_timestamp`` the object and when it was signed.

        Raises ``BadData`` when it is not ours, or older than ``max_age`` seconds.
        """
        if salt is not None or return_timestamp:
            return super().loads(s, max_age, return_timestamp, salt)
        signed_at, known = self._read.get(s, (0.0, None))
        if known is not None and (max_age is None or time.time() - signed_at < max_age):
            return known.copy()
        found, date = super().loads(s, max_age, return_timestamp=True)
        if isinstance(found, dict) and all(isinstance(each, CONSTANT) for each in found.values()):
            if len(self._read) >= MAX_READ:
                self._read.clear()
            self._read[s] = date.timestamp(), found.copy()
        return found


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
        signer=Signer,
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
