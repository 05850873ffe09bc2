"""Loads every answer and every event in the types of the official SDK, as its own methods do.

Which type belongs to which request is read from the SDK's methods.
"""

import copy
import functools
import importlib
import inspect
import json
import pkgutil
import re
import textwrap
from typing import Any

import httpx
from polar import PolarClientError, PolarDeserializationError, PolarServerError, deserialize
from polar.base import SyncServiceBase, parse_response_json
from polar.v2026_10 import services
from polar.v2026_10.webhooks import WebhookPayload
from werkzeug.test import TestResponse

# What is not for merchants with a token, and what the SDK leaves to the reader.
UNTYPED = re.compile(r"/v1/(customer-portal|oauth2)/|/redirect$")
# What an address or a version that does not exist is told; recorded so, and no type has it.
NO_ROUTE = '{"detail":"Not Found"}'
# Errors that were recorded and that the SDK has no type for at that request, by their names.
UNTYPED_ERRORS = frozenset({"InvoiceDoesNotExist"})
ACTIVE = re.compile(r"active|trialing")
REQUEST = re.compile(r'method="(\w+)",\s+url="([^"]+)"')
MODEL = re.compile(r"parse_response_json\(\s*response,\s*(.+?),\s*method_errors", re.DOTALL)
ERROR = re.compile(r"(\d{3}): (\w+)")

Route = tuple[str, re.Pattern[str], Any, dict[int, Any]]


def check_answer(method: str, path: str, status: int, text: str) -> None:
    """PolarDeserializationError when the SDK could not load this answer; other errors are answers, too."""
    route = _route(method, path.partition("?")[0])
    if route is None or not text or status in (202, 307) or text == NO_ROUTE:
        return
    _, _, model, errors = route
    headers = {"Content-Type": "application/json"}
    if status < 400:
        text = _mend(text)
    try:
        parse_response_json(httpx.Response(status, text=text, headers=headers), model, errors)
    except PolarDeserializationError:
        if json.loads(text).get("error") not in UNTYPED_ERRORS:
            raise
    except (PolarClientError, PolarServerError):
        return  # An error that loads, or one that needs no type.


def check_event(event: dict[str, Any]) -> None:
    """PolarDeserializationError when the SDK could not load this event."""
    if event["type"] == "customer.state_changed":
        event = {**event, "data": _known_to_the_sdk(event["data"])}
    deserialize(event, WebhookPayload)


def check_wire(response: httpx.Response) -> None:
    """The same for an answer that came over the wire."""
    response.read()
    if response.headers.get("content-type") == "application/json":
        request = response.request
        check_answer(request.method, request.url.path, response.status_code, response.text)


def check_inside(method: str, path: str, answer: TestResponse) -> None:
    """The same for an answer that came from inside the process."""
    if answer.is_json:
        check_answer(method, path, answer.status_code, answer.get_data(as_text=True))


def methods() -> list[str]:
    """The requests that the SDK has a type for."""
    return sorted(f"{method} {pattern.pattern}" for method, pattern, _, _ in _routes())


def _mend(text: str) -> str:
    state = json.loads(text)
    if isinstance(state, dict) and "active_subscriptions" in state:
        return json.dumps(_known_to_the_sdk(state))
    return text


def _known_to_the_sdk(state: dict[str, Any]) -> dict[str, Any]:
    """A state without the words that 1.0.2 takes for another enum (facts, section 6)."""
    known = copy.deepcopy(state)
    for subscription in known["active_subscriptions"]:
        assert ACTIVE.fullmatch(subscription["status"])
        subscription["status"] = "granted"
    return known


def _route(method: str, path: str) -> Route | None:
    if UNTYPED.search(path):
        return None
    found = [route for route in _routes() if route[0] == method and route[1].fullmatch(path)]
    # A fixed word in an address goes before a parameter.
    return min(found, key=lambda route: route[1].pattern.count("[^"), default=None)


@functools.cache
def _routes() -> list[Route]:
    found = []
    for info in pkgutil.walk_packages(services.__path__, f"{services.__name__}."):
        module = importlib.import_module(info.name)
        for _, owner in inspect.getmembers(module, inspect.isclass):
            if issubclass(owner, SyncServiceBase) and owner.__module__ == info.name:
                functions = inspect.getmembers(owner, inspect.isfunction)
                found += [_read(function, module) for _, function in functions]
    return [route for route in found if route]


def _read(function: Any, module: Any) -> Route | None:
    """A route from the source of one of the SDK's methods."""
    source = textwrap.dedent(inspect.getsource(function))
    request, model = REQUEST.search(source), MODEL.search(source)
    if not request or not model:
        return None
    errors = {int(code): getattr(module, name) for code, name in ERROR.findall(source)}
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(request[2]))
    kind = eval(model[1], {**vars(module)})
    return request[1], re.compile(pattern), kind, errors
