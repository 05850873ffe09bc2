"""The settings under the names that Flask and its extensions read."""

from typing import TYPE_CHECKING, Any

from saas.config.known import ROOT

if TYPE_CHECKING:
    from saas.config.settings import Settings

# A Redis that is gone must not hold up a sign-in: after this the process counts alone.
REDIS_PATIENCE = {"socket_connect_timeout": 1, "socket_timeout": 1}

MORE_CONNECTIONS = (
    10  # For what works beside the threads: sweeper, heartbeat, a session within another.
)
POOL_SECONDS = 5.0  # Who finds none free by then is told to come back.


def of(settings: "Settings") -> dict[str, Any]:
    """Translate the settings into the names that Flask and its extensions read."""
    https = settings.base_url.startswith("https://")
    # Browsers take a cookie of this name from this very host only, over https and for all paths.
    prefix = "__Host-" if https else ""
    return {
        "DEBUG": settings.debug,
        "SECRET_KEY": settings.secret_key,
        "SECRET_KEY_FALLBACKS": list(settings.secret_key_fallbacks),
        # Flask-WTF passes it on to itsdangerous, which signs with the last of several keys.
        "WTF_CSRF_SECRET_KEY": [*reversed(settings.secret_key_fallbacks), settings.secret_key],
        "SQLALCHEMY_DATABASE_URI": settings.sqlalchemy_url,
        # What is stored is nobody's business in a log, so an error of the database leaves it out.
        "SQLALCHEMY_ENGINE_OPTIONS": {"hide_parameters": True} | _pool(settings),
        "MAX_CONTENT_LENGTH": 1024 * 1024,
        "SESSION_COOKIE_NAME": f"{prefix}session",
        "SESSION_COOKIE_PATH": "/",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": https,
        "REMEMBER_COOKIE_NAME": f"{prefix}remember",
        "REMEMBER_COOKIE_PATH": "/",
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        "REMEMBER_COOKIE_SECURE": https,
        "WTF_CSRF_TIME_LIMIT": None,  # A form left open overnight still works; the session ends it.
        "WTF_CSRF_SSL_STRICT": False,  # Some browsers send no Referer; the token is the proof.
        "MAIL_BACKEND": settings.mail_backend,
        "MAIL_SERVER": settings.mail_server,
        "MAIL_PORT": settings.mail_port,
        "MAIL_USE_TLS": settings.mail_use_tls and not settings.mail_use_ssl,
        "MAIL_USE_SSL": settings.mail_use_ssl,
        "MAIL_USERNAME": settings.mail_username or None,
        "MAIL_PASSWORD": settings.mail_password or None,
        "MAIL_DEFAULT_SENDER": settings.mail_from or None,
        "MAIL_TIMEOUT": 10,
        "MAIL_FILE_PATH": str(ROOT / settings.mail_outbox_dir),
        "RATELIMIT_STORAGE_URI": settings.rate_limit_storage,
        "RATELIMIT_STORAGE_OPTIONS": REDIS_PATIENCE
        if "redis" in settings.rate_limit_storage
        else {},
    }


def _pool(settings: "Settings") -> dict[str, Any]:
    """Keep a connection for each thread, of gunicorn or of a worker; they are opened when first needed.

    A database in memory is one connection for all.
    """
    if settings.sqlalchemy_url in {"sqlite://", "sqlite:///", "sqlite:///:memory:"}:
        return {}
    return {
        "pool_size": max(1, settings.web_threads, settings.worker_threads),
        "max_overflow": MORE_CONNECTIONS,
        "pool_timeout": POOL_SECONDS,
    }
