"""Is this delivery from Polar? Checked on the raw bytes, with every key Polar may have used."""

import base64
import binascii
from collections.abc import Iterable, Mapping

from standardwebhooks import Webhook, WebhookVerificationError

from saas.config import could_be_secret

PREFIX = "whsec_"


class BadSignature(Exception):
    """The delivery is not from Polar, or too old. The message says which, for the sender's log."""


def verify(body: bytes, headers: Mapping[str, str], secrets: Iterable[str]) -> None:
    """Raise ``BadSignature`` unless ``body`` was signed with one of the ``secrets``.

    Polar signs with the UTF-8 bytes of the whole secret, and since 2026-09-08 for new secrets with the
    decoded part after ``whsec_``; both are tried. Several secrets allow a rotation without a gap. A
    timestamp more than five minutes off is refused.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise BadSignature("The body is not UTF-8.") from None
    message = "The signature does not match."
    for key in (key for secret in secrets for key in signing_keys(secret)):
        try:
            Webhook(key).verify(text, dict(headers), json_parse=False)
        except WebhookVerificationError as error:
            if "timestamp" in str(error).lower():
                message = "The timestamp is more than five minutes off."
            elif "headers" in str(error).lower():
                message = "The signature headers are missing or malformed."
        except (ValueError, TypeError, OverflowError):
            message = "The signature headers are missing or malformed."
        else:
            return
    raise BadSignature(message)


def signing_keys(secret: str) -> list[bytes]:
    """Return the keys that a secret may stand for: its bytes, and the bytes it encodes.

    None for one that is too short: it would let in whoever guesses it.
    """
    if not could_be_secret(secret):
        return []
    keys = [secret.encode()]
    encoded = secret.removeprefix(PREFIX)
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return keys
    return [*keys, decoded] if decoded else keys
