"""Where the forms of a page may lead: browsers check redirects after a post, too."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import g

from polar_emulator.settings import LOOPBACK_HOSTS


def allow(url: str) -> None:
    """Let forms of this page end, after a redirect, at the site of a URL."""
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"} and parts.netloc:
        g.form_targets = {*g.get("form_targets", ()), f"{parts.scheme}://{parts.netloc}"}


def site_of(url: str | None) -> str:
    """The name of the site of a URL, for a link that leads back."""
    host = urlsplit(url or "").hostname
    return host if host and host not in LOOPBACK_HOSTS else "the application"
