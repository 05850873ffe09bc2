"""Reading the settings from the environment."""

import os
from collections.abc import Mapping
from math import nan
from pathlib import Path

from dotenv import load_dotenv

from saas.config.known import RANGES, ROOT
from saas.config.settings import ConfigurationError, Settings


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
        secret_key_fallbacks=words(read.text("SECRET_KEY_FALLBACKS", "")),
        base_url=read.text("BASE_URL", "http://127.0.0.1:8000").rstrip("/"),
        allowed_hosts=words(read.text("ALLOWED_HOSTS", "")),
        database_url=read.text("DATABASE_URL", "sqlite:///instance/app.db"),
        polar_access_token=read.text("POLAR_ACCESS_TOKEN", ""),
        polar_server=read.text("POLAR_SERVER", "production"),
        polar_api_url=read.text("POLAR_API_URL", ""),
        polar_webhook_secrets=words(read.text("POLAR_WEBHOOK_SECRET", "")),
        polar_timeout_seconds=read.number("POLAR_TIMEOUT_SECONDS", 8.0),
        polar_calls_per_minute=read.number("POLAR_CALLS_PER_MINUTE", 0),
        webhook_retention_days=read.whole("WEBHOOK_RETENTION_DAYS", 90),
        past_due_grace_days=read.whole("PAST_DUE_GRACE_DAYS", 0),
        mail_backend=read.text("MAIL_BACKEND", "file" if development else "smtp"),
        mail_server=read.text("MAIL_SERVER", ""),
        mail_port=read.whole("MAIL_PORT", 587),
        mail_use_tls=read.switch("MAIL_USE_TLS", True),
        mail_use_ssl=read.switch("MAIL_USE_SSL", False),
        mail_username=read.text("MAIL_USERNAME", ""),
        mail_password=read.text("MAIL_PASSWORD", ""),
        mail_from=read.text("MAIL_FROM", "hello@localhost" if development else ""),
        mail_outbox_dir=read.text("MAIL_OUTBOX_DIR", "instance/outbox"),
        mails_off=words(read.text("MAILS_OFF", "")),
        rate_limit_storage=read.text("RATE_LIMIT_STORAGE", "memory://"),
        web_concurrency=read.whole("WEB_CONCURRENCY", 2),
        web_threads=read.whole("WEB_THREADS", 4),
        host=read.text("HOST", "127.0.0.1"),
        port=read.whole("PORT", 8000),
        forwarded_allow_ips=words(read.text("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")),
        trusted_proxies=read.whole("TRUSTED_PROXIES", 0),
        page_cache_seconds=read.number("PAGE_CACHE_SECONDS", 0 if development else 5),
        log_level=read.text("LOG_LEVEL", "INFO").upper(),
        jobs_url=read.text("JOBS_URL", ""),
        worker_threads=read.whole("WORKER_THREADS", 2),
        worker_patience_seconds=read.number("WORKER_PATIENCE_SECONDS", 25),
        log_format=read.text("LOG_FORMAT", "text" if development else "json"),
        access_log=read.switch("ACCESS_LOG", False),
        metrics_token=read.text("METRICS_TOKEN", ""),
        sentry_dsn=read.text("SENTRY_DSN", ""),
        release=read.text("RELEASE", "")[:64],
    )
    if read.problems:
        raise ConfigurationError(read.problems)
    return settings


def words(text: str) -> tuple[str, ...]:
    """Return the words of a setting that may have several, separated by commas or blanks."""
    return tuple(text.replace(",", " ").split())


def load_env_file(path: Path = ROOT / ".env") -> None:
    """Put the lines of ``.env`` into the environment; what is already set there wins.

    Raises ``ConfigurationError`` when there is one that cannot be read.
    """
    if path.is_dir():  # python-dotenv takes it for nothing at all.
        raise ConfigurationError([f"{path} is a folder. It must be a file."])
    try:
        load_dotenv(path)
    except UnicodeDecodeError:
        raise ConfigurationError([f"{path} is not UTF-8. Save it as such."]) from None
    except OSError as error:
        reason = (
            f"{path} cannot be read ({error.strerror}). It must belong to the user that runs this."
        )
        raise ConfigurationError([reason]) from None


class _Reader:
    """Reads one variable at a time and remembers what could not be read."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def text(self, name: str, default: str) -> str:
        return self.environ.get(name, "").strip() or default

    def number(self, name: str, default: float, kind: str = "number") -> float:
        """Return a number that makes sense for this setting."""
        value = self.text(name, str(default))
        low, high = RANGES[name]
        try:
            number = float(value)
        except ValueError:
            number = nan
        if low <= number <= high and (kind == "number" or number.is_integer()):
            return number
        self.problems.append(
            f"{name} is {value!r}; it must be a {kind} from {low:g} to {high:.0f}."
        )
        return default

    def whole(self, name: str, default: int) -> int:
        return int(self.number(name, default, "whole number"))

    def switch(self, name: str, default: bool) -> bool:
        value = self.text(name, "1" if default else "0").lower()
        if value in {"1", "true", "yes", "on"}:
            return True
        if value in {"0", "false", "no", "off"}:
            return False
        self.problems.append(f"{name} is {value!r}; it must be 1 or 0.")
        return default
