"""What must not be run with: each problem is one sentence that says how to mend it."""

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from saas.config.known import BILLING_MAILS, POLAR_URLS
from saas.kit.urls import is_http_url, is_loopback

if TYPE_CHECKING:
    from saas.config.settings import Settings

JOBS_SCHEMES = ("sqlite:///", "redis://", "rediss://", "unix://", "postgres://", "postgresql://")
PLACEHOLDERS = ("changeme", "secret", "yoursecret", "development", "password", "placeholder")
MIN_SECRET_LENGTH = (
    32  # 128 bits as hexadecimal digits; `python -c "import secrets; ..."` gives 64.
)


def problems(settings: "Settings") -> list[str]:
    """Return one sentence for each setting that forbids a start, and how to mend it."""
    return [*_malformed(settings), *(_unsafe(settings) if settings.is_production else [])]


def _malformed(settings: "Settings") -> list[str]:
    found = []
    if settings.app_env not in {"production", "development"}:
        found.append(f"APP_ENV is {settings.app_env!r}; it must be 'production' or 'development'.")
    if not settings.secret_key:
        found.append(
            "SECRET_KEY is missing. Make one with: "
            'python -c "import secrets; print(secrets.token_hex(32))"'
        )
    elif not "".join([settings.secret_key, *settings.secret_key_fallbacks]).isascii():
        found.append("SECRET_KEY contains letters beyond ASCII; Flask-Login cannot sign with it.")
    if not is_http_url(settings.base_url):
        found.append(f"BASE_URL is {settings.base_url!r}; it must be like https://app.example.com.")
    if settings.polar_api_url and not is_http_url(settings.polar_api_url):
        found.append(f"POLAR_API_URL is {settings.polar_api_url!r}; it must be an http(s) address.")
    if settings.polar_server not in POLAR_URLS:
        found.append(
            f"POLAR_SERVER is {settings.polar_server!r}; it must be 'production' or 'sandbox'."
        )
    if settings.mail_backend not in {"smtp", "file", "console", "locmem"}:
        found.append(
            f"MAIL_BACKEND is {settings.mail_backend!r}; use smtp, file, console or locmem."
        )
    if settings.log_format not in {"json", "text"}:
        found.append(f"LOG_FORMAT is {settings.log_format!r}; it must be 'json' or 'text'.")
    if settings.sentry_dsn:
        found.extend(_of_sentry(settings.sentry_dsn))
    if settings.jobs_url and not settings.jobs_url.startswith((*JOBS_SCHEMES, "inline")):
        found.append("JOBS_URL must begin with sqlite:///, redis:// or postgresql://.")
    if unknown := sorted(set(settings.mails_off) - set(BILLING_MAILS)):
        known = ", ".join(BILLING_MAILS)
        found.append(f"MAILS_OFF names {unknown[0]!r}; it may name {known}.")
    return found


def _of_sentry(dsn: str) -> list[str]:
    parts = urlsplit(dsn)
    has_key = parts.scheme in {"http", "https"} and parts.hostname and parts.username
    if not has_key or not parts.path.rpartition("/")[2].isdigit():
        return ["SENTRY_DSN must be like https://key@host/1; copy it from the project in Sentry."]
    if find_spec("sentry_sdk") is None:
        return ["SENTRY_DSN is set, but its package is missing. Run: pip install sentry-sdk"]
    return []


def _unsafe(settings: "Settings") -> list[str]:
    found = []
    if settings.debug:
        found.append("FLASK_DEBUG is on. Turn it off in production: it lets visitors run code.")
    if settings.secret_key and _is_weak(settings.secret_key):
        found.append(
            "SECRET_KEY is a placeholder or shorter than 32 characters. Make one with: "
            'python -c "import secrets; print(secrets.token_hex(32))"'
        )
    if any(map(_is_weak, settings.secret_key_fallbacks)):
        found.append("SECRET_KEY_FALLBACKS holds a key that can be guessed. Remove it.")
    if settings.uses_local_polar:
        found.append(
            "POLAR_API_URL points to a local Polar. Remove it, and set POLAR_ACCESS_TOKEN."
        )
    elif not settings.polar_url.startswith("https://"):
        found.append("POLAR_API_URL must begin with https://, since the token travels there.")
    elif not settings.polar_access_token:
        found.append("POLAR_ACCESS_TOKEN is missing. Make one in Polar: Settings, Developers.")
    if not settings.polar_webhook_secrets or any(map(_is_weak, settings.polar_webhook_secrets)):
        found.append(
            "POLAR_WEBHOOK_SECRET is missing or too short. Copy it from the webhook endpoint in Polar."
        )
    if settings.mail_backend == "smtp" and not settings.mail_server:
        found.append("MAIL_SERVER is missing, so no mail can be sent. Name your SMTP server.")
    if not settings.mail_from:
        found.append("MAIL_FROM is missing. Name the address your mails come from.")
    if is_loopback(settings.base_url) and not settings.base_url_is_deliberate:
        found.append("BASE_URL is missing. Set it to the public address, https://…")
    return found


def _is_weak(secret: str) -> bool:
    words = re.sub(r"[^a-z]", "", secret.lower())
    return len(secret) < MIN_SECRET_LENGTH or words.startswith(PLACEHOLDERS) or len(set(secret)) < 8
