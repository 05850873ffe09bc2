"""Reports of errors to Sentry, or to anything that speaks its protocol, where SENTRY_DSN names it.

A report holds the traceback and the log line, gone over like the log: no visitor, no address, no local
variables.
"""

from typing import Any

from saas.config import Settings
from saas.kit.redaction import redact
from saas.observability import context

LEFT_OUT = ("request", "user", "server_name", "modules", "extra")


def init(settings: Settings) -> None:
    """Begin to report, if that is wanted."""
    if not settings.sentry_dsn:
        return
    import sentry_sdk
    from sentry_sdk.integrations.logging import LoggingIntegration

    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        environment=settings.app_env,
        release=settings.release or None,
        send_default_pii=False,
        include_local_variables=False,
        max_breadcrumbs=0,
        max_request_body_size="never",
        auto_enabling_integrations=False,
        integrations=[LoggingIntegration(level=None)],
        before_send=scrub,  # type: ignore[arg-type]
        shutdown_timeout=2,
    )


def scrub(event: dict[str, Any], _hint: dict[str, Any]) -> dict[str, Any]:
    """Take out of a report what nobody else is to know, and say on whose behalf it happened, by number."""
    kept = {name: value for name, value in event.items() if name not in LEFT_OUT}
    cleaned: dict[str, Any] = _clean(kept)
    cleaned["tags"] = cleaned.get("tags") or {}
    cleaned["tags"] |= context.known()
    return cleaned


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: _clean(found) for name, found in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(found) for found in value]
    return value
