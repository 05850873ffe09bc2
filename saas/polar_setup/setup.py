"""Create what is missing in the organisation. What is there is left as it is, so it can be repeated."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import current_app

from saas.billing import reconcile
from saas.billing.gateway import API_VERSION
from saas.config import current
from saas.errors import AppError
from saas.kit.urls import absolute, is_http_url, is_loopback
from saas.polar_setup import demo, env_file, organization
from saas.webhooks import handlers

Json = dict[str, Any]


class UnusableAddress(AppError):
    """Polar does not deliver to such an address."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "unusable_address"
    message = (
        "Polar delivers to a public https:// address only. Set BASE_URL to the address of your "
        "application, or name it: flask polar setup --webhook-url https://app.example.com/webhooks/polar"
    )


def run(env_path: Path, webhook_url: str = "", *, products: bool = False) -> Iterator[str]:
    """Set everything up and yield a line for each thing that was done.

    Raises ``UnusableAddress`` before anything is changed, or ``gateway.PolarError``.
    """
    url = webhook_url or own_address()
    _require_public(url)
    flags, lines = _feature_flags()
    yield from lines
    if products:
        yield from _products(flags)
    endpoint, lines = _endpoint(url)
    yield from lines
    if line := _keep_secret(env_path, str(endpoint["secret"])):
        yield line
    reconcile.refresh_catalogue()


def _keep_secret(env_path: Path, secret: str) -> str:
    """Write the secret down; where no file can be written (a container), say what to do with it."""
    try:
        if env_file.add_secret(env_path, secret):
            return f"Wrote the secret of the endpoint to {env_path.name}. Restart the application."
    except OSError as error:
        if secret not in current().polar_webhook_secrets:
            return (
                f"{env_path.name} cannot be written here ({error.strerror}). Put this secret first in "
                f"POLAR_WEBHOOK_SECRET, a comma between it and an older one, and restart: {secret}"
            )
    return ""


def own_address() -> str:
    """Return the address that Polar should deliver to."""
    path = current_app.url_map.bind("").build("webhooks.polar")  # A command has no request.
    return absolute(current().base_url, path)


def wanted_events() -> list[str]:
    """Return the events that change something here; the others would come for nothing."""
    return sorted(name for name, handler in handlers.TABLE.items() if callable(handler))


def _require_public(url: str) -> None:
    if is_http_url(url) and current().uses_local_polar:
        return
    if not is_http_url(url) or urlsplit(url).scheme != "https" or is_loopback(url):
        raise UnusableAddress


def _feature_flags() -> tuple[dict[str, str], list[str]]:
    """Return the ids of the flags by description, and what was done."""
    there = {str(flag["description"]): str(flag["id"]) for flag in organization.feature_flags()}
    lines = []
    for description, metadata in demo.FEATURE_FLAGS.items():
        if description not in there:
            made = organization.create_feature_flag(description, metadata)
            there[description] = str(made["id"])
            lines.append(f"Created the feature flag {description!r}.")
    return there, lines


def _products(flags: dict[str, str]) -> Iterator[str]:
    there = {str(found["name"]): found for found in organization.products()}
    for fields, wanted in demo.PRODUCTS:
        product = there.get(fields["name"])
        if product is None:
            product = organization.create_product(fields)
            yield f"Created the product {fields['name']!r}."
        elif product.get("is_archived") or product.get("benefits"):
            continue  # Somebody has made it theirs.
        organization.set_benefits(str(product["id"]), [flags[name] for name in wanted])
        if fields["name"] in there:  # As a run leaves it that was interrupted.
            yield f"Gave the product {fields['name']!r} its benefits."


def _endpoint(url: str) -> tuple[Json, list[str]]:
    wanted = {"format": "raw", "events": wanted_events(), "api_version": API_VERSION}
    found = next((each for each in organization.endpoints() if each["url"] == url), None)
    if found is None:
        made = organization.create_endpoint({"url": url, "name": "Application", **wanted})
        return made, [f"Created the webhook endpoint {url}."]
    changes: Json = {name: value for name, value in wanted.items() if _differs(found, name, value)}
    if not found.get("enabled"):
        changes["enabled"] = True
    if not changes:
        return found, []
    changed = organization.update_endpoint(str(found["id"]), changes)
    return changed, [f"Changed the webhook endpoint {url}: {', '.join(sorted(changes))}."]


def _differs(found: Json, name: str, value: object) -> bool:
    there = found.get(name, value)  # An older Polar has no such field to change.
    if isinstance(there, list):
        there = sorted(map(str, there))
    return bool(there != value)
