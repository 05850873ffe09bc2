"""Requests in, answers out: JSON bodies, query parameters, pages of lists."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from flask import Response, current_app, request

from polar_emulator.api.fields import Fields
from polar_emulator.api.formats import uuid_trouble
from polar_emulator.errors import NotFound, SchemaError, problem
from polar_emulator.rules.customers import by_external_id
from polar_emulator.store import Doc
from polar_emulator.world import World

MOST_PER_PAGE = 100
SORTABLE = frozenset((
    "created_at", "started_at", "name", "email", "status", "amount", "total_amount",
    "current_period_end", "ends_at", "expires_at", "invoice_number", "description", "type",
))  # fmt: skip
TRUE, FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


def world() -> World:
    """The world of this process."""
    return cast(World, current_app.extensions["polar"])


def answer(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer, compact and with its keys in order."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return Response(text, status, headers, content_type="application/json")


def nothing(status: int = 204) -> Response:
    """An answer without a body; recorded with a content type all the same."""
    return Response(status=status, content_type="application/json")


def body() -> dict[str, Any]:
    """The JSON object of the request. SchemaError when it is none."""
    raw = request.get_data()
    if not raw:
        raise SchemaError([problem("missing", ("body",), "Field required", None)])
    try:
        data = json.loads(raw, parse_constant=_refuse_constant)
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except (UnicodeError, ValueError) as error:
        if isinstance(error, json.JSONDecodeError):
            raise _no_json(error.pos, error.msg) from None
        raise _no_json(0, "Invalid character") from None
    except RecursionError:
        raise _no_json(0, "Too deep") from None
    if not isinstance(data, dict):
        message = "Input should be a valid dictionary or object to extract fields from"
        raise SchemaError([problem("model_attributes_type", ("body",), message, data)])
    return data


def found(kind: str, key: str) -> Doc:
    """The object of a path. SchemaError when the id is none, NotFound when there is no such object."""
    trouble = uuid_trouble(key)
    if trouble:
        message = f"Input should be a valid UUID, {trouble}"
        raise SchemaError([problem("uuid_parsing", ("path", "id"), message, key, error=trouble)])
    doc = world().store.get(kind, key)
    if doc is None or doc.get("deleted_at") or doc.get("is_deleted"):
        raise NotFound
    return doc


def listing(
    kind: str,
    where: dict[str, Any],
    show: Callable[[Doc], Any],
    order: str = "-created_at",
) -> Response:
    """One page of objects: `items` and `pagination`. `limit` above 100 is clamped."""
    page, limit = _positive("page", 1), min(_positive("limit", 10), MOST_PER_PAGE)
    store = world().store
    total = store.count(kind, where)
    docs = store.find(
        kind, where, order=_order(order), limit=limit, offset=min((page - 1) * limit, 2**62)
    )
    pages = -(-total // limit)
    pagination = {"total_count": total, "max_page": pages}
    return answer({"items": [show(doc) for doc in docs], "pagination": pagination})


def equals(*names: str) -> dict[str, Any]:
    """Conditions for the query parameters that were given; several values mean any of them."""
    return {name: request.args.getlist(name) for name in names if name in request.args}


def computed(rows: list[Any]) -> Response:
    """One page of rows that are not objects of the store."""
    page, limit = _positive("page", 1), min(_positive("limit", 10), MOST_PER_PAGE)
    pagination = {"total_count": len(rows), "max_page": -(-len(rows) // limit)}
    return answer({"items": rows[(page - 1) * limit : page * limit], "pagination": pagination})


def of_organization() -> dict[str, Any]:
    """A condition for `organization_id`: there is one organisation, so all matches or nothing does."""
    wanted = request.args.getlist("organization_id")
    return {} if not wanted or world().organization["id"] in wanted else {"id": []}


def between(field: str, after: str, before: str) -> dict[str, Any]:
    """Conditions for a moment that lies after one parameter and before another."""
    fields = Fields(
        {name: request.args[name] for name in (after, before) if name in request.args}, "query"
    )
    for name in (after, before):
        fields.moment(name)
    given = fields.done()
    where = {f"{field} >=": given.get(after), f"{field} <=": given.get(before)}
    return {name: value for name, value in where.items() if value is not None}


def flag(name: str) -> dict[str, Any]:
    """A condition for a true/false query parameter, if it was given."""
    text = request.args.get(name)
    if text is None:
        return {}
    if text.lower() not in TRUE | FALSE:
        message = "Input should be a valid boolean, unable to interpret input"
        raise SchemaError([problem("bool_parsing", ("query", name), message, text)])
    return {name: text.lower() in TRUE}


def metadata() -> dict[str, Any]:
    """Conditions for `metadata[key]=value`."""
    return {
        f"metadata.{name[9:-1]}": _alike(request.args.getlist(name))
        for name in request.args
        if name.startswith("metadata[") and name.endswith("]")
    }


def containing(name: str, parameter: str = "query") -> dict[str, Any]:
    """A condition for a free text search."""
    text = request.args.get(parameter)
    return {f"{name} like": f"%{text}%"} if text else {}


def by_customer() -> dict[str, Any]:
    """Conditions for `customer_id` and `external_customer_id`."""
    where = equals("customer_id")
    if "external_customer_id" in request.args:
        keys = request.args.getlist("external_customer_id")
        customers = [by_external_id(world(), key) for key in keys]
        where["customer_id"] = [customer["id"] for customer in customers if customer]
    return where


def _positive(name: str, default: int) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    try:
        number = int(text)
    except ValueError:
        message = "Input should be a valid integer, unable to parse string as an integer"
        raise SchemaError([problem("int_parsing", ("query", name), message, text)]) from None
    if number <= 0:
        message = "Input should be greater than 0"
        raise SchemaError([problem("greater_than", ("query", name), message, text, gt=0)])
    return min(number, 2**31)


def _order(default: str) -> str:
    """The order asked for; the age of an object is its place in the store."""
    wanted = request.args.getlist("sorting") or [default]
    known = [part for part in wanted if part.lstrip("-") in SORTABLE] or [default]
    return ",".join(
        part.replace("created_at", "seq").replace("started_at", "seq") for part in known
    )


def _alike(values: list[str]) -> list[Any]:
    """The texts, and the numbers or booleans that are written that way."""
    same: list[Any] = list(values)
    same.extend(text == "true" for text in values if text in {"true", "false"})
    same.extend(float(text) for text in values if text.replace(".", "", 1).isdecimal())
    return same


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _no_json(place: int, reason: str) -> SchemaError:
    return SchemaError(
        [problem("json_invalid", ("body", place), "JSON decode error", {}, error=reason)]
    )
