"""The webhook endpoint: switched on, set up as it should be, reachable, and delivering."""

import http.client
from typing import Any
from urllib.parse import urlsplit

from saas.billing.gateway import API_VERSION, PolarUnauthorized
from saas.config import current
from saas.kit.datetimes import parse_datetime, utcnow
from saas.polar_setup import organization
from saas.polar_setup.findings import Finding, bad, good
from saas.polar_setup.setup import wanted_events

Json = dict[str, Any]
SETUP = "Run: flask polar setup"
PATIENCE_SECONDS = 10  # What Polar waits for an answer.


def examine(endpoint: Json) -> list[Finding]:
    """Return what is to be said about an endpoint."""
    looks = (_is_on, _events, _format, _version, _secret, _reachable, _attempts)
    return [finding for look in looks if (finding := look(endpoint)) is not None]


def _is_on(endpoint: Json) -> Finding:
    if endpoint.get("enabled"):
        return good("endpoint", f"Polar delivers to {endpoint['url']}.")
    cure = f"Mend what made the deliveries fail, then {SETUP[0].lower()}{SETUP[1:]}; then: flask billing sync"
    return bad("endpoint", "Polar has switched the endpoint off, after ten failures.", cure)


def _events(endpoint: Json) -> Finding:
    wanted, there = set(wanted_events()), set(map(str, endpoint.get("events") or []))
    if missing := sorted(wanted - there):
        return bad("events", f"Not selected: {', '.join(missing)}.", SETUP)
    if more := sorted(there - wanted):
        return good("events", f"All are selected, and {len(more)} that change nothing here.")
    return good("events", f"Exactly the {len(wanted)} that are handled are selected.")


def _format(endpoint: Json) -> Finding:
    if endpoint.get("format") == "raw":
        return good("format", "The format is raw.")
    return bad("format", f"The format is {endpoint.get('format')}, which nobody here reads.", SETUP)


def _version(endpoint: Json) -> Finding | None:
    there = endpoint.get("api_version")
    if there is None:  # An older Polar; the same fields come in every version so far.
        return None
    if there == API_VERSION:
        return good("version", f"Deliveries are written in API version {there}.")
    words = f"Deliveries are written in API version {there}, not {API_VERSION}."
    return bad("version", words, SETUP)


def _secret(endpoint: Json) -> Finding:
    if endpoint.get("secret") in current().polar_webhook_secrets:
        return good("secret", "The secret of the endpoint is known here.")
    cure = f"{SETUP} and restart the application; a variable of the environment wins over .env"
    return bad("secret", "POLAR_WEBHOOK_SECRET is not the secret of the endpoint.", cure)


def _reachable(endpoint: Json) -> Finding:
    """Knock without a signature: the right door refuses that with 403 and one sentence."""
    try:
        status, place = _knock(str(endpoint["url"]))
    except (OSError, ValueError, http.client.HTTPException) as error:  # Maybe it is no address.
        cure = "Check that the application runs, its DNS name and its certificate."
        return bad("reachable", f"The address cannot be reached: {error}.", cure)
    if 300 <= status < 400:
        cure = "Use the address it leads to as BASE_URL, or serve this one without a redirect."
        return bad("reachable", f"It redirects to {place}; Polar takes that as a failure.", cure)
    if status == http.client.FORBIDDEN:
        return good("reachable", "The address answers as it should.")
    cure = "Check that the address leads to this application, past any sign-in or firewall."
    return bad("reachable", f"The address answers {status} instead of 403.", cure)


def _knock(url: str) -> tuple[int, str]:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("POST", parts.path or "/", body=b"{}")
        response = connection.getresponse()
        return response.status, response.getheader("location", "")
    finally:
        connection.close()


def _attempts(endpoint: Json) -> Finding | None:
    try:
        attempts = organization.latest_deliveries(str(endpoint["id"]))
    except PolarUnauthorized:
        return None  # Named among the scopes.
    if not attempts:
        return good("deliveries", "Nothing has been delivered yet.")
    failed = [attempt for attempt in attempts if not attempt.get("succeeded")]
    last = parse_datetime(attempts[0].get("created_at")) or utcnow()
    words = f"The last delivery was on {last:%Y-%m-%d} at {last:%H:%M} UTC"
    if not failed:
        return good("deliveries", f"{words}; none of the last {len(attempts)} failed.")
    reason = f"{failed[0].get('http_code') or 'no answer'} {failed[0].get('response') or ''}"
    words += f"; {len(failed)} of the last {len(attempts)} failed: {reason.strip():.120}"
    if attempts[0].get("succeeded"):
        return good("deliveries", f"{words} (before the last one)")
    return bad("deliveries", words, "Mend the reason, then run: flask billing replay")
