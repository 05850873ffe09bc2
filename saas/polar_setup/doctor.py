"""Find out what is wrong between this application and Polar; each finding comes with its cure.

Nothing is changed by looking. That a scope to write is there is asked with an empty body: Polar looks at
the token first, and refuses the body only when the token would have been good enough.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from saas.billing import gateway
from saas.billing.gateway import (
    PolarNotFound,
    PolarRejected,
    PolarScopeMissing,
    PolarUnauthorized,
    PolarUnavailable,
)
from saas.config import POLAR_URLS, current
from saas.kit.datetimes import utcnow
from saas.polar_setup import agreements, endpoint_checks, organization
from saas.polar_setup.findings import Finding, bad, good

SKEW_SECONDS = 60  # Polar's signatures are refused when they are five minutes off.
NOBODY = "00000000-0000-4000-8000-000000000000"
READS = {
    "organizations:read": "/v1/organizations/",
    "products:read": "/v1/products/",
    "benefits:read": "/v1/benefits/",
    "customers:read": "/v1/customers/",
    "subscriptions:read": "/v1/subscriptions/",
    "orders:read": "/v1/orders/",
    "checkouts:read": "/v1/checkouts/",
    "webhooks:read": "/v1/webhooks/endpoints",
}
WRITES = {
    "checkouts:write": ("POST", "/v1/checkouts/"),
    "customers:write": ("POST", "/v1/customers/"),
    "customer_sessions:write": ("POST", "/v1/customer-sessions/"),
    "subscriptions:write": ("PATCH", f"/v1/subscriptions/{NOBODY}"),
    "webhooks:write": ("POST", "/v1/webhooks/endpoints"),
}


@dataclass(frozen=True)
class Look:
    """The first answer of Polar: who we are there, and what time it is."""

    organizations: list[dict[str, Any]]
    skew_seconds: float


def examine(url: str) -> list[Finding]:
    """Return everything that was looked at. ``url`` is where Polar should deliver."""
    found: list[Finding] = []
    try:
        for finding in _looks(url):
            found.append(finding)
    except PolarUnavailable as error:
        found.append(_no_answer("answers" if found else "token", error))
    return found


def _looks(url: str) -> Iterator[Finding]:
    look, finding = _token()
    yield finding
    if not finding.is_good:
        return
    if look is not None:
        yield from (_organization(look), _clock(look))
    yield from _scopes()
    if look is not None:
        yield from _agreements(look)
    yield from _deliveries(url)


def _no_answer(name: str, error: PolarUnavailable) -> Finding:
    where = current().polar_url
    if error.retry_after is not None:
        words = f"{where} asks us to come back later: {error.explained}"
        return bad(name, words, f"Wait {error.retry_after} seconds, then run it again.")
    cure = "Check POLAR_SERVER or POLAR_API_URL and the network, or wait: https://status.polar.sh"
    return bad(name, f"{where} does not answer: {error.explained}", cure)


def _token() -> tuple[Look | None, Finding]:
    where = current().polar_url
    accepted = good("token", f"{where} accepts the token.")
    try:
        page = gateway.call("GET", "/v1/organizations/")
    except PolarScopeMissing:
        return None, accepted  # What it may not do is named among the scopes.
    except PolarUnauthorized:
        return None, bad("token", f"{where} does not accept the token.", _cure_for_token())
    except PolarUnavailable:
        raise
    except gateway.PolarError as error:
        cure = "Check POLAR_API_URL: what answers there is not Polar's API."
        return None, bad("token", f"{where} gives a strange answer: {error.explained}", cure)
    skew = (utcnow() - page.observed_at).total_seconds()
    return Look(page.data.get("items") or [], skew), accepted


def _cure_for_token() -> str:
    """Say which mistake it is: the other server's token, or no good one at all."""
    for server, url in POLAR_URLS.items():
        if url != current().polar_url and not current().polar_api_url and gateway.accepts_us(url):
            return f"The token belongs to the {server} server: set POLAR_SERVER={server}."
    return "Make a new organisation token (Polar: Settings, Developers) and set POLAR_ACCESS_TOKEN."


def _organization(look: Look) -> Finding:
    names = [str(found.get("name")) for found in look.organizations]
    if len(names) == 1:
        return good("organisation", f"The token belongs to {names[0]}.")
    cure = "Use a token of the organisation itself (Settings, Developers), not of a person."
    return bad("organisation", f"The token sees {len(names)} organisations.", cure)


def _clock(look: Look) -> Finding:
    # Polar writes whole seconds, so our clock may seem up to a second ahead.
    words = f"The clocks differ by about {abs(look.skew_seconds):.0f} s."
    if abs(look.skew_seconds) <= SKEW_SECONDS:
        return good("clock", words)
    cure = (
        "Let this machine set its clock by NTP: signatures more than five minutes off are refused."
    )
    return bad("clock", words, cure)


def _scopes() -> list[Finding]:
    asked = {scope: ("GET", path) for scope, path in READS.items()} | WRITES
    missing = [scope for scope, (method, path) in asked.items() if not _may(method, path)]
    if not missing:
        return [good("scopes", "The token may do everything that is needed.")]
    cure = f"Edit the token in Polar (Settings, Developers) and add: {', '.join(missing)}."
    return [bad("scopes", f"The token lacks {len(missing)} scopes.", cure)]


def _may(method: str, path: str) -> bool:
    try:
        gateway.call(method, path, body=None if method == "GET" else {})
    except PolarUnauthorized:
        return False
    except (PolarRejected, PolarNotFound):
        return True
    return True


def _agreements(look: Look) -> list[Finding]:
    try:
        settings = (
            look.organizations[0].get("subscription_settings") if look.organizations else None
        )
        return agreements.examine(settings or {})
    except PolarUnauthorized:
        return []  # Named among the scopes.


def _deliveries(url: str) -> list[Finding]:
    try:
        found = [each for each in organization.endpoints() if each.get("url") == url]
    except PolarUnauthorized:
        return []  # Named among the scopes.
    if not found:
        cure = "Run: flask polar setup"
        return [bad("endpoint", f"Polar does not deliver to {url}.", cure)]
    return endpoint_checks.examine(found[0])
