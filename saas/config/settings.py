"""The settings of an installation: one typed field for each environment variable, and what follows."""

from dataclasses import dataclass, field
from typing import Any

from saas.config import checks, flask_names
from saas.config.known import LOCAL_POLAR_TOKEN, LOCAL_POLAR_URL, POLAR_URLS, ROOT
from saas.kit.urls import is_loopback


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
    secret_key_fallbacks: tuple[str, ...] = field(default=(), repr=False)
    base_url: str = "http://127.0.0.1:8000"
    allowed_hosts: tuple[str, ...] = ()
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
    web_concurrency: int = 2
    web_threads: int = 4
    host: str = "127.0.0.1"
    port: int = 8000
    forwarded_allow_ips: tuple[str, ...] = ("127.0.0.1", "::1")
    trusted_proxies: int = 0
    page_cache_seconds: float = 0
    log_level: str = "INFO"
    jobs_url: str = field(default="", repr=False)
    worker_threads: int = 2
    worker_patience_seconds: float = 25
    release: str = ""
    log_format: str = "json"
    access_log: bool = False
    metrics_token: str = field(default="", repr=False)
    sentry_dsn: str = field(default="", repr=False)

    @property
    def runs_jobs_inline(self) -> bool:
        """True when a job is done right after the commit that asks for it, by whoever asked."""
        return self.jobs_url == "inline"

    @property
    def jobs_address(self) -> str:
        """Where the queue is: as set, or in the PostgreSQL that there is, or a file beside SQLite."""
        url = self.jobs_url or self.database_url
        if not url.startswith("sqlite:///"):
            return url
        path = ROOT / url.removeprefix("sqlite:///")
        return f"sqlite:///{path if self.jobs_url else path.with_name('jobs.db')}"

    @property
    def is_production(self) -> bool:
        """True unless the environment says development; forgetting the setting is the safe side."""
        return self.app_env != "development"

    @property
    def uses_local_polar(self) -> bool:
        """True when calls go to a Polar on this machine, where no money moves."""
        return is_loopback(self.polar_url)

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

    @property
    def base_url_is_deliberate(self) -> bool:
        """True when the address was set by somebody, so that loopback is a choice (a rehearsal)."""
        return self.base_url != Settings.base_url

    def problems(self) -> list[str]:
        """Return one sentence for each setting that forbids a start, and how to mend it."""
        return checks.problems(self)

    def warnings(self) -> list[str]:
        """Return one sentence for each setting that allows a start and is weaker than it seems."""
        return checks.warnings(self)

    def require_usable(self) -> None:
        """Raise ``ConfigurationError`` when there is any problem."""
        if problems := self.problems():
            raise ConfigurationError(problems)

    def require_buildable(self) -> None:
        """Raise ``ConfigurationError`` when not even a command can run that is to mend the settings."""
        if checks.obstacles(self):
            raise ConfigurationError(self.problems())

    def flask_config(self) -> dict[str, Any]:
        """Translate into the names that Flask and its extensions read."""
        return flask_names.of(self)
