"""What the local Polar can be told when it starts: options first, then the environment."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_PORT = 8001
DEFAULT_STORE = "instance/polar.db"
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class SettingsError(ValueError):
    """A setting that cannot work; the text is one sentence for the person who started it."""


@dataclass(frozen=True)
class Settings:
    """How this process runs.

    `store` is a path, or `:memory:` for a store that ends with the process. `fast` leaves out
    every wait: pipeline delays, debouncing, spacing between deliveries. `retry_scale` multiplies
    the recorded back-off between delivery attempts. `webhook_standard` signs as Polar does with
    secrets made since 2026-09-08. `strict_webhook_urls` refuses endpoints at http addresses and
    on this machine, as the real Polar does. `exposed` lets others reach it: there is no
    password, so whoever can connect can do everything.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    store: str = DEFAULT_STORE
    webhook_url: str = ""
    webhook_secret: str = ""
    webhook_standard: bool = False
    public_url: str = ""
    fast: bool = False
    hold_confirmed: bool = False
    retry_scale: float = 1.0
    exposed: bool = False
    strict_webhook_urls: bool = False

    def check(self) -> None:
        """Raise SettingsError when something in here cannot work."""
        if self.host not in LOOPBACK_HOSTS and not self.exposed:
            raise SettingsError(
                f"The local Polar listens on this machine only: use --host 127.0.0.1, not {self.host}, "
                "or add --yes-really-not-loopback."
            )
        if not 0 <= self.port <= 65535:
            raise SettingsError(f"--port must be between 0 and 65535, not {self.port}.")
        if self.webhook_url and urlsplit(self.webhook_url).scheme not in {"http", "https"}:
            raise SettingsError(f"--webhook-url must be an http(s) address: {self.webhook_url!r}.")
        if self.webhook_url and not self.webhook_secret:
            raise SettingsError(
                "--webhook-url needs --webhook-secret, so that deliveries are signed."
            )
        if self.webhook_secret:
            self._check_secret()
        if self.public_url and urlsplit(self.public_url).scheme not in {"http", "https"}:
            raise SettingsError(f"--public-url must be an http(s) address: {self.public_url!r}.")

    def _check_secret(self) -> None:
        try:
            signing_key(self.webhook_secret, standard=self.webhook_standard)
        except ValueError as error:
            raise SettingsError(f"--webhook-secret with --webhook-standard: {error}") from None


def signing_key(secret: str, *, standard: bool) -> bytes:
    """What deliveries are signed with. ValueError with a sentence when the secret is no key.

    For Polar secrets made before 2026-09-08 the UTF-8 bytes of the whole text; for newer ones the
    decoded part after `whsec_`, as the Standard Webhooks libraries do.
    """
    if not standard:
        return secret.encode()
    encoded = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("a secret of this kind is whsec_ and base64 behind it.")
    return key
