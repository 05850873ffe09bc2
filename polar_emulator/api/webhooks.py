"""/v1/webhooks: endpoints, deliveries, redelivery."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from polar_emulator import deliveries
from polar_emulator.api.catalogue import refuse_organization
from polar_emulator.api.fields import Fields
from polar_emulator.api.formats import is_private
from polar_emulator.api.gate import api
from polar_emulator.api.wire import (
    answer,
    between,
    body,
    equals,
    flag,
    found,
    listing,
    nothing,
    world,
)
from polar_emulator.errors import Problem, SchemaError, problem
from polar_emulator.events import EVENT_TYPES
from polar_emulator.rules import endpoints as rules
from polar_emulator.shapes import webhooks as shapes

FORMATS = ("raw", "discord", "slack")
PRIVATE_URL = "Webhook URLs cannot point to localhost or private IP addresses."
CODE_CLASSES = ("2xx", "3xx", "4xx", "5xx")


@api.get("/v1/webhooks/endpoints")
def endpoints() -> Response:
    """Webhook endpoints."""
    return listing("webhook_endpoint", equals("organization_id"), shapes.endpoint)


@api.get("/v1/webhooks/endpoints/<key>")
def endpoint(key: str) -> Response:
    """A webhook endpoint."""
    return answer(shapes.endpoint(found("webhook_endpoint", key)))


@api.post("/v1/webhooks/endpoints")
def create_endpoint() -> Response:
    """A new endpoint. Unlike the real Polar this one accepts http and addresses of this machine,
    unless it was started with --strict-webhook-urls."""
    given = body()
    refuse_organization(given)
    fields = _fields(given)
    for name in ("url", "format", "events"):
        fields.need(name)
    return answer(shapes.endpoint(rules.create(world(), fields.done())), 201)


@api.patch("/v1/webhooks/endpoints/<key>")
def update_endpoint(key: str) -> Response:
    """Change an endpoint."""
    doc = found("webhook_endpoint", key)
    fields = _fields(body())
    fields.boolean("enabled")
    return answer(shapes.endpoint(rules.update(world(), doc, fields.done())))


@api.patch("/v1/webhooks/endpoints/<key>/secret")
def reset_secret(key: str) -> Response:
    """Give an endpoint a new secret."""
    doc = found("webhook_endpoint", key)
    return answer(shapes.endpoint(rules.reset_secret(world(), doc)))


@api.delete("/v1/webhooks/endpoints/<key>")
def delete_endpoint(key: str) -> Response:
    """Forget an endpoint."""
    rules.remove(world(), found("webhook_endpoint", key))
    return nothing()


@api.get("/v1/webhooks/deliveries")
def list_deliveries() -> Response:
    """Every attempt to deliver, newest first."""
    where = {
        **equals("endpoint_id"),
        **flag("succeeded"),
        **between("created_at", "start_timestamp", "end_timestamp"),
        **_code_class(),
    }
    if types := equals("event_type").get("event_type"):
        where["type"] = types
    return listing("webhook_delivery", where, lambda doc: shapes.delivery(world(), doc))


@api.post("/v1/webhooks/events/<key>/redeliver")
def redeliver(key: str) -> Response:
    """Send an event again, with the same webhook-id."""
    deliveries.redeliver(world(), found("webhook_event", key))
    return answer(None, 202)


def _code_class() -> dict[str, Any]:
    """Conditions for `http_code_class`, which is 2xx, 3xx, 4xx or 5xx."""
    text = request.args.get("http_code_class")
    if text is None:
        return {}
    if text not in CODE_CLASSES:
        expected = ", ".join(f"'{name}'" for name in CODE_CLASSES)
        where = ("query", "http_code_class")
        raise SchemaError([problem("enum", where, f"Input should be {expected}", text)])
    first = int(text[0]) * 100
    return {"http_code >=": first, "http_code <=": first + 99}


def _fields(given: dict[str, Any]) -> Fields:
    fields = Fields(given)
    fields.url("url")
    _check_address(fields)
    fields.text("name")
    fields.choice("format", FORMATS)
    fields.boolean("uses_standard_webhook_signature")
    events = given.get("events")
    if isinstance(events, list):
        fields.values["events"] = events
        fields.problems += _unknown_events(events)
    elif "events" in given:
        fields.complain("list_type", "events", "Input should be a valid list", events)
    return fields


def _check_address(fields: Fields) -> None:
    url = fields.values.get("url")
    if not isinstance(url, str) or fields.problems:
        return
    strict = world().settings.strict_webhook_urls
    if strict and not url.lower().startswith("https:"):
        more = {"expected_schemes": "'https'"}
        fields.complain("url_scheme", "url", "URL scheme should be 'https'", url, **more)
    elif is_private(url, loopback=strict):
        fields.complain("value_error", "url", f"Value error, {PRIVATE_URL}", url, error={})


def _unknown_events(events: list[Any]) -> list[Problem]:
    expected = ", ".join(f"'{name}'" for name in EVENT_TYPES)
    return [
        problem("enum", ("body", "events", place), f"Input should be {expected}", name)
        for place, name in enumerate(events)
        if name not in EVENT_TYPES
    ]
