"""Names and places that settings refer to."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

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
    "pause_ending",
    "cancellation_confirmed",
    "access_ended",
    "address_at_polar",
)

# From where to where a number makes sense. Who needs more than these has made a mistake in the unit.
RANGES: dict[str, tuple[float, float]] = {
    "POLAR_TIMEOUT_SECONDS": (0.5, 120),
    "POLAR_CALLS_PER_MINUTE": (0, 100_000),
    "WEBHOOK_RETENTION_DAYS": (0, 36_500),
    "PAST_DUE_GRACE_DAYS": (0, 3650),
    "MAIL_PORT": (1, 65535),
    "WEB_CONCURRENCY": (1, 1000),
    "WEB_THREADS": (1, 1000),
    "TRUSTED_PROXIES": (0, 100),
    "PAGE_CACHE_SECONDS": (0, 86_400),
    "WORKER_THREADS": (1, 1000),
    "WORKER_PATIENCE_SECONDS": (0, 86_400),
    "PORT": (1, 65535),
}
