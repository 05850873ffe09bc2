"""Settings: typed, read from the environment once, and refused when they are not safe to run with."""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import load_dotenv
from flask import current_app

ROOT = Path(__file__).resolve().parent.parent

PLACEHOLDERS = ("changeme", "secret", "yoursecret", "development", "password", "placeholder")
MIN_SECRET_LENGTH = (
    32  # 128 bits as hexadecimal digits; `python -c "import secrets; ..."` gives 64.
)

LOCAL_POLAR_URL = "http://127.0.0.1:8001"
LOCAL_POLAR_TOKEN = "polar_oat_local"  # noqa: S105 - the local Polar accepts any token of this shape
POLAR_URLS = {
    "production": "https://api.polar.sh",
    "sandbox": "https://sandbox-api.polar.sh",
}


BILLING_MAILS = (
    "welcome",
    "payment_failed",
    "trial_ending",
    "cancellation_confirmed",
    "access_ended",
)


class ConfigurationError(Exception):
    """The settings do not allow a start. ``problems`` holds one sentence for each reason."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(
            "The configuration is not usable:\n" + "\n".join(f"- {p}" for p in problems)
        )


@dataclass(frozen=True)
class Settings:
    """Everything that differs between installations. One field for each environment variable."""

    app_env: str = "production"
    debug: bool = False
    secret_key: str = field(default="", repr=False)
    base_url: str = "http://127.0.0.1:8000"
    database_url: str = field(default="sqlite:///instance/app.db", repr=False)
    polar_access_token: str = field(default="", repr=False)
    polar_server: str = "production"
    polar_api_url: str = ""
    polar_webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    polar_timeout_seconds: float = 8.0
    polar_calls_per_minute: float = 0
    webhook_retention_days: int = 90
    past_due_grace_days: int = 0
    mail_backend: str = "smtp"
    mail_server: str = ""
    mail_port: int = 587
    mail_use_tls: bool = True
    mail_use_ssl: bool = False
    mail_username: str = ""
    mail_password: str = field(default="", repr=False)
    mail_from: str = ""
    mail_outbox_dir: str = "instance/outbox"
    mails_off: tuple[str, ...] = ()
    rate_limit_storage: str = "memory://"
    trusted_proxies: int = 0
    log_level: str = "INFO"

    @property
    def is_production(self) -> bool:
        """True unless the environment says development; forgetting the setting is the safe side."""
        return self.app_env != "development"

    @property
    def uses_local_polar(self) -> bool:
        """True when calls go to a Polar on this machine, where no money moves."""
        return _is_loopback(self.polar_url)

    @property
    def polar_url(self) -> str:
        """The address of the Polar API: set, by server name, or the local one in development."""
        if self.polar_api_url:
            return self.polar_api_url.rstrip("/")
        if not self.is_production and not self.polar_access_token:
            return LOCAL_POLAR_URL
        return POLAR_URLS.get(self.polar_server, POLAR_URLS["production"])

    @property
    def polar_token(self) -> str:
        """The token to send. The local Polar takes any, so it needs no setting."""
        return self.polar_access_token or (LOCAL_POLAR_TOKEN if self.uses_local_polar else "")

    @property
    def sqlalchemy_url(self) -> str:
        """The database address as SQLAlchemy wants it: psycopg for PostgreSQL, absolute for SQLite."""
        url = self.database_url
        for prefix in ("postgres://", "postgresql://"):
            if url.startswith(prefix):
                return "postgresql+psycopg://" + url.removeprefix(prefix)
        if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
            path = url.removeprefix("sqlite:///")
            return url if path in {"", ":memory:"} else f"sqlite:///{ROOT / path}"
        return url

    def problems(self) -> list[str]:
        """Return one sentence for each setting that forbids a start, and how to mend it."""
        return [*self._malformed(), *(self._unsafe() if self.is_production else [])]

    def require_usable(self) -> None:
        """Raise ``ConfigurationError`` when there is any problem."""
        if problems := self.problems():
            raise ConfigurationError(problems)

    def flask_config(self) -> dict[str, Any]:
        """Translate into the names that Flask and its extensions read."""
        https = self.base_url.startswith("https://")
        return {
            "DEBUG": self.debug,
            "SECRET_KEY": self.secret_key,
            "SQLALCHEMY_DATABASE_URI": self.sqlalchemy_url,
            "SQLALCHEMY_ENGINE_OPTIONS": {"pool_pre_ping": True},
            "MAX_CONTENT_LENGTH": 1024 * 1024,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_COOKIE_SECURE": https,
            "REMEMBER_COOKIE_HTTPONLY": True,
            "REMEMBER_COOKIE_SAMESITE": "Lax",
            "REMEMBER_COOKIE_SECURE": https,
            "WTF_CSRF_TIME_LIMIT": None,  # A form left open overnight still works; the session ends it.
            "WTF_CSRF_SSL_STRICT": False,  # Some browsers send no Referer; the token is the proof.
            "MAIL_BACKEND": self.mail_backend,
            "MAIL_SERVER": self.mail_server,
            "MAIL_PORT": self.mail_port,
            "MAIL_USE_TLS": self.mail_use_tls and not self.mail_use_ssl,
            "MAIL_USE_SSL": self.mail_use_ssl,
            "MAIL_USERNAME": self.mail_username or None,
            "MAIL_PASSWORD": self.mail_password or None,
            "MAIL_DEFAULT_SENDER": self.mail_from or None,
            "MAIL_TIMEOUT": 10,
            "MAIL_FILE_PATH": str(ROOT / self.mail_outbox_dir),
            "RATELIMIT_STORAGE_URI": self.rate_limit_storage,
        }

    def _malformed(self) -> list[str]:
        found = []
        if self.app_env not in {"production", "development"}:
            found.append(f"APP_ENV is {self.app_env!r}; it must be 'production' or 'development'.")
        if not self.secret_key:
            found.append(
                "SECRET_KEY is missing. Make one with: "
                'python -c "import secrets; print(secrets.token_hex(32))"'
            )
        elif not self.secret_key.isascii():
            found.append(
                "SECRET_KEY contains letters beyond ASCII; Flask-Login cannot sign with it."
            )
        if not _is_http_url(self.base_url):
            found.append(f"BASE_URL is {self.base_url!r}; it must be like https://app.example.com.")
        if self.polar_api_url and not _is_http_url(self.polar_api_url):
            found.append(f"POLAR_API_URL is {self.polar_api_url!r}; it must be an http(s) address.")
        if self.polar_server not in POLAR_URLS:
            found.append(
                f"POLAR_SERVER is {self.polar_server!r}; it must be 'production' or 'sandbox'."
            )
        if self.mail_backend not in {"smtp", "file", "console", "locmem"}:
            found.append(
                f"MAIL_BACKEND is {self.mail_backend!r}; use smtp, file, console or locmem."
            )
        if unknown := sorted(set(self.mails_off) - set(BILLING_MAILS)):
            known = ", ".join(BILLING_MAILS)
            found.append(f"MAILS_OFF names {unknown[0]!r}; it may name {known}.")
        return found

    def _unsafe(self) -> list[str]:
        found = []
        if self.debug:
            found.append("FLASK_DEBUG is on. Turn it off in production: it lets visitors run code.")
        if self.secret_key and _is_weak(self.secret_key):
            found.append(
                "SECRET_KEY is a placeholder or shorter than 32 characters. Make one with: "
                'python -c "import secrets; print(secrets.token_hex(32))"'
            )
        if self.uses_local_polar:
            found.append(
                "POLAR_API_URL points to a local Polar. Remove it, and set POLAR_ACCESS_TOKEN."
            )
        elif not self.polar_url.startswith("https://"):
            found.append("POLAR_API_URL must begin with https://, since the token travels there.")
        elif not self.polar_access_token:
            found.append("POLAR_ACCESS_TOKEN is missing. Make one in Polar: Settings, Developers.")
        if not self.polar_webhook_secrets or any(map(_is_weak, self.polar_webhook_secrets)):
            found.append(
                "POLAR_WEBHOOK_SECRET is missing or too short. Copy it from the webhook endpoint in Polar."
            )
        if self.mail_backend == "smtp" and not self.mail_server:
            found.append("MAIL_SERVER is missing, so no mail can be sent. Name your SMTP server.")
        if not self.mail_from:
            found.append("MAIL_FROM is missing. Name the address your mails come from.")
        if _is_loopback(self.base_url) and not self.base_url_is_deliberate:
            found.append("BASE_URL is missing. Set it to the public address, https://…")
        return found

    @property
    def base_url_is_deliberate(self) -> bool:
        """True when the address was set by somebody, so that loopback is a choice (a rehearsal)."""
        return self.base_url != Settings.base_url


def from_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from environment variables, without judging them.

    Raises ``ConfigurationError`` when a number or a switch cannot be read at all.
    """
    read = _Reader(os.environ if environ is None else environ)
    development = read.text("APP_ENV", "production") == "development"
    settings = Settings(
        app_env=read.text("APP_ENV", "production"),
        debug=read.switch("FLASK_DEBUG", False),
        secret_key=read.text("SECRET_KEY", ""),
        base_url=read.text("BASE_URL", "http://127.0.0.1:8000").rstrip("/"),
        database_url=read.text("DATABASE_URL", "sqlite:///instance/app.db"),
        polar_access_token=read.text("POLAR_ACCESS_TOKEN", ""),
        polar_server=read.text("POLAR_SERVER", "production"),
        polar_api_url=read.text("POLAR_API_URL", ""),
        polar_webhook_secrets=tuple(
            read.text("POLAR_WEBHOOK_SECRET", "").replace(",", " ").split()
        ),
        polar_timeout_seconds=read.number("POLAR_TIMEOUT_SECONDS", 8.0),
        polar_calls_per_minute=read.number("POLAR_CALLS_PER_MINUTE", 0),
        webhook_retention_days=int(read.number("WEBHOOK_RETENTION_DAYS", 90)),
        past_due_grace_days=int(read.number("PAST_DUE_GRACE_DAYS", 0)),
        mail_backend=read.text("MAIL_BACKEND", "file" if development else "smtp"),
        mail_server=read.text("MAIL_SERVER", ""),
        mail_port=int(read.number("MAIL_PORT", 587)),
        mail_use_tls=read.switch("MAIL_USE_TLS", True),
        mail_use_ssl=read.switch("MAIL_USE_SSL", False),
        mail_username=read.text("MAIL_USERNAME", ""),
        mail_password=read.text("MAIL_PASSWORD", ""),
        mail_from=read.text("MAIL_FROM", "hello@localhost" if development else ""),
        mail_outbox_dir=read.text("MAIL_OUTBOX_DIR", "instance/outbox"),
        mails_off=tuple(read.text("MAILS_OFF", "").replace(",", " ").split()),
        rate_limit_storage=read.text("RATE_LIMIT_STORAGE", "memory://"),
        trusted_proxies=int(read.number("TRUSTED_PROXIES", 0)),
        log_level=read.text("LOG_LEVEL", "INFO").upper(),
    )
    if read.problems:
        raise ConfigurationError(read.problems)
    return settings


def load_env_file(path: Path = ROOT / ".env") -> None:
    """Put the lines of ``.env`` into the environment; what is already set there wins."""
    load_dotenv(path)


def current() -> Settings:
    """Return the settings of the running application."""
    settings: Settings = current_app.extensions["settings"]
    return settings


class _Reader:
    """Reads one variable at a time and remembers what could not be read."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def text(self, name: str, default: str) -> str:
        return self.environ.get(name, "").strip() or default

    def number(self, name: str, default: float) -> float:
        value = self.text(name, str(default))
        try:
            number = float(value)
        except ValueError:
            self.problems.append(f"{name} is {value!r}; it must be a number.")
            return default
        if not 0 <= number < 1e6:
            self.problems.append(f"{name} is {value!r}; it must be a number from 0 up.")
            return default
        return number

    def switch(self, name: str, default: bool) -> bool:
        value = self.text(name, "1" if default else "0").lower()
        if value in {"1", "true", "yes", "on"}:
            return True
        if value in {"0", "false", "no", "off"}:
            return False
        self.problems.append(f"{name} is {value!r}; it must be 1 or 0.")
        return default


def _is_http_url(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _is_weak(secret: str) -> bool:
    words = re.sub(r"[^a-z]", "", secret.lower())
    return len(secret) < MIN_SECRET_LENGTH or words.startswith(PLACEHOLDERS) or len(set(secret)) < 8
