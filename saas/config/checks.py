"""What must not be run with: each problem is one sentence that says how to mend it."""

import re
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from saas.config import addresses
from saas.config.known import BILLING_MAILS, POLAR_URLS
from saas.kit.urls import is_http_url, is_loopback

if TYPE_CHECKING:
    from saas.config.settings import Settings

POSTGRESQL = ("postgres", "postgresql")
REDIS = (
    "redis",
    "rediss",
    "redis+unix",
    "redis+sentinel",
)  # A cluster is asked at once, at the start.
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
PLACEHOLDERS = ("changeme", "secret", "yoursecret", "development", "password", "placeholder")
MIN_SECRET_LENGTH = (
    32  # 128 bits as hexadecimal digits; `python -c "import secrets; ..."` gives 64.
)


def problems(settings: "Settings") -> list[str]:
    """Return one sentence for each setting that forbids a start, and how to mend it."""
    return [
        *obstacles(settings),
        *_malformed(settings),
        *(addresses.problems(settings) if is_http_url(settings.base_url) else []),
        *(_unsafe(settings) if settings.is_production else []),
    ]


def could_be_secret(word: str) -> bool:
    """False for what is too short to keep anybody out, such as a word of a comment behind a secret."""
    return len(word) >= MIN_SECRET_LENGTH and not word.startswith("#")


def obstacles(settings: "Settings") -> list[str]:
    """Return those of the problems with which no application can be put together at all."""
    found = []
    if not is_http_url(settings.base_url):
        found.append(f"BASE_URL is {settings.base_url!r}; it must be like https://app.example.com.")
    if settings.polar_api_url and not is_http_url(settings.polar_api_url):
        found.append(f"POLAR_API_URL is {settings.polar_api_url!r}; it must be an http(s) address.")
    if not _is_plain(settings.polar_access_token):
        found.append("POLAR_ACCESS_TOKEN contains what no token has. Copy it from Polar once more.")
    # What these four hold may be a password, so the sentence does not repeat it.
    if not _is_store(
        settings.database_url, *POSTGRESQL, "postgresql+psycopg", "sqlite"
    ) or not _is_understood(settings.sqlalchemy_url):
        found.append("DATABASE_URL must be like sqlite:///file or postgresql://user@host/name.")
    if settings.jobs_url not in {"", "inline"} and not _is_store(
        settings.jobs_url, *POSTGRESQL, "redis", "rediss", "unix", "sqlite"
    ):
        found.append("JOBS_URL must be like sqlite:///file, redis://host/1 or postgresql://host/n.")
    if settings.rate_limit_storage != "memory://" and not _is_store(
        settings.rate_limit_storage, *REDIS
    ):
        found.append(
            "RATE_LIMIT_STORAGE must be memory:// or like redis://host:6379/1; no cluster, one Redis."
        )
    if settings.sentry_dsn and not _is_dsn(settings.sentry_dsn):
        found.append(
            "SENTRY_DSN must be like https://key@host/1; copy it from the project in Sentry."
        )
    if settings.log_level not in LOG_LEVELS:
        known = ", ".join(LOG_LEVELS)
        found.append(f"LOG_LEVEL is {settings.log_level!r}; it must be one of {known}.")
    if settings.log_format not in {"json", "text"}:
        found.append(f"LOG_FORMAT is {settings.log_format!r}; it must be 'json' or 'text'.")
    return found


def warnings(settings: "Settings") -> list[str]:
    """Return one sentence for each setting that allows a start and is weaker than it seems."""
    alone = settings.is_production and settings.rate_limit_storage == "memory://"
    if not alone or settings.web_concurrency < 2:
        return []
    return [
        f"RATE_LIMIT_STORAGE is memory://, so each of {settings.web_concurrency} processes counts for "
        "itself, and limits hold only in part. Name a Redis, or set WEB_CONCURRENCY=1."
    ]


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
    # A short word would be a secret that anybody can guess, in development as well.
    if not all(map(could_be_secret, settings.secret_key_fallbacks)):
        found.append(
            "SECRET_KEY_FALLBACKS holds a word that can be guessed, since it is shorter than "
            f"{MIN_SECRET_LENGTH} characters. Remove it, and any comment that stands behind the keys."
        )
    if not all(map(could_be_secret, settings.polar_webhook_secrets)):
        found.append(
            "POLAR_WEBHOOK_SECRET holds a word that is too short to be a secret. Copy the secret from the "
            "webhook endpoint in Polar, or run: flask polar setup. No comment may stand behind it."
        )
    if is_http_url(settings.base_url) and not _is_bare(settings.base_url):
        found.append(
            f"BASE_URL is {settings.base_url!r}; it must end with the host: a site of its own."
        )
    if settings.polar_server not in POLAR_URLS:
        found.append(
            f"POLAR_SERVER is {settings.polar_server!r}; it must be 'production' or 'sandbox'."
        )
    if settings.mail_backend not in {"smtp", "file", "console", "locmem"}:
        found.append(
            f"MAIL_BACKEND is {settings.mail_backend!r}; use smtp, file, console or locmem."
        )
    if settings.mail_from and not _is_sender(settings.mail_from):
        found.append(
            f"MAIL_FROM is {settings.mail_from!r}; it must be like Acme <hello@acme.example>."
        )
    if not _is_plain(settings.metrics_token):
        found.append(
            "METRICS_TOKEN contains what no header can carry; take ASCII letters and digits."
        )
    if unknown := sorted(set(settings.mails_off) - set(BILLING_MAILS)):
        known = ", ".join(BILLING_MAILS)
        found.append(f"MAILS_OFF names {unknown[0]!r}; it may name {known}.")
    return found


def _is_store(url: str, *schemes: str) -> bool:
    """True for an address of one of these kinds that says where: a host or a path."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return False
    # A file is named after three slashes; urlsplit takes `sqlite:name` for one as well.
    named = url.startswith(f"{parts.scheme}://") and bool(parts.netloc or parts.path.strip("/"))
    if parts.scheme.startswith(("redis", "unix")) and not addresses.is_redis(url):
        return False
    return parts.scheme in schemes and named and not (parts.scheme == "sqlite" and parts.netloc)


def _is_understood(url: str) -> bool:
    """True when the driver of the database can read what follows the ``?``, as far as one knows before."""
    try:
        parts = make_url(url)
        parts.get_dialect()().create_connect_args(parts)
    except (ArgumentError, ValueError):
        return False
    return True


def _is_plain(token: str) -> bool:
    """True when it can travel in a header."""
    return token.isascii() and token.isprintable() and " " not in token


def _is_bare(url: str) -> bool:
    parts = urlsplit(url)
    return not (parts.path or parts.query or parts.fragment or parts.username is not None)


def _is_sender(value: str) -> bool:
    try:
        return value.isprintable() and bool(Address(addr_spec=parseaddr(value)[1]).domain)
    except (ValueError, IndexError, MessageError):
        return False


def _is_dsn(dsn: str) -> bool:
    if not is_http_url(dsn):
        return False
    parts = urlsplit(dsn)
    return bool(parts.username) and parts.path.rpartition("/")[2].isdigit()


def _unsafe(settings: "Settings") -> list[str]:
    found = []
    if settings.debug:
        found.append("FLASK_DEBUG is on. Turn it off in production: it lets visitors run code.")
    if settings.secret_key and _is_weak(settings.secret_key):
        found.append(
            "SECRET_KEY is a placeholder or shorter than 32 characters. Make one with: "
            'python -c "import secrets; print(secrets.token_hex(32))"'
        )
    if any(map(_is_guessable, settings.secret_key_fallbacks)):
        found.append("SECRET_KEY_FALLBACKS holds a key that can be guessed. Remove it.")
    if settings.uses_local_polar:
        found.append(
            "POLAR_API_URL points to a local Polar. Remove it, and set POLAR_ACCESS_TOKEN."
        )
    elif not settings.polar_url.startswith("https://"):
        found.append("POLAR_API_URL must begin with https://, since the token travels there.")
    elif not settings.polar_access_token:
        found.append("POLAR_ACCESS_TOKEN is missing. Make one in Polar: Settings, Developers.")
    if not settings.polar_webhook_secrets or any(
        map(_is_guessable, settings.polar_webhook_secrets)
    ):
        found.append(
            "POLAR_WEBHOOK_SECRET is missing or can be guessed. Copy it from the webhook endpoint in Polar."
        )
    # An address of this machine is a rehearsal: no visitor comes by, and no mail needs to leave.
    rehearsal = is_loopback(settings.base_url)
    if settings.mail_backend in {"file", "console", "locmem"} and not rehearsal:
        found.append(
            "MAIL_BACKEND must be smtp: elsewhere mails stay, and the links in them open accounts."
        )
    if settings.mail_backend == "smtp" and not settings.mail_server:
        found.append("MAIL_SERVER is missing, so no mail can be sent. Name your SMTP server.")
    if not settings.mail_from:
        found.append("MAIL_FROM is missing. Name the address your mails come from.")
    if rehearsal and not settings.base_url_is_deliberate:
        found.append("BASE_URL is missing. Set it to the public address, https://…")
    if settings.base_url.startswith("http://") and not rehearsal:
        found.append("BASE_URL must begin with https://, since passwords and cookies travel there.")
    if settings.metrics_token and _is_weak(settings.metrics_token):
        found.append(
            "METRICS_TOKEN is too short or can be guessed. Make one with: "
            'python -c "import secrets; print(secrets.token_hex(32))"'
        )
    return found


def _is_weak(secret: str) -> bool:
    return len(secret) < MIN_SECRET_LENGTH or _is_guessable(secret)


def _is_guessable(secret: str) -> bool:
    words = re.sub(r"[^a-z]", "", secret.lower())
    return words.startswith(PLACEHOLDERS) or len(set(secret)) < 8
