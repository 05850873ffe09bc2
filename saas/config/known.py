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
