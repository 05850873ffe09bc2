"""Addresses: where a redirect may go, and absolute links that never trust the Host header."""

import ipaddress
from urllib.parse import urljoin, urlsplit


def safe_next(target: str | None, default: str) -> str:
    """Return ``target`` when it is a path on this site, else ``default``.

    Refuses other hosts, schemes, ``//host``, backslashes (browsers read them as slashes) and control
    characters (browsers drop them, so ``/\\t/host`` would become ``//host``).
    """
    if not target or not target.startswith("/") or target.startswith("//"):
        return default
    if "\\" in target or any(ord(char) < 32 or ord(char) == 127 for char in target):
        return default
    try:
        parts = urlsplit(target)
    except ValueError:
        return default
    return default if parts.scheme or parts.netloc else target


def absolute(base_url: str, path: str) -> str:
    """Return ``path`` as an absolute address below the configured ``base_url``."""
    return urljoin(base_url.rstrip("/") + "/", path.lstrip("/"))


def is_http_url(value: str) -> bool:
    """True for an absolute http or https address."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def is_loopback(url: str) -> bool:
    """True when the address leads to the machine it is used on."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified
