"""The calls that set up and watch an organisation: flags, products, webhook endpoints."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from saas.billing import gateway

Json = dict[str, Any]


def organizations() -> list[Json]:
    """Return the organisations that the token may see: one, for an organisation token."""
    return _all("/v1/organizations/")


def feature_flags() -> list[Json]:
    """Return the benefits of the type that this application understands."""
    return [found for found in _all("/v1/benefits/") if found.get("type") == "feature_flag"]


def create_feature_flag(description: str, metadata: Json) -> Json:
    """Create a feature flag. Its metadata says what it allows."""
    body = {"type": "feature_flag", "description": description, "metadata": metadata}
    return _data(gateway.call("POST", "/v1/benefits/", body=body | {"properties": {}}))


def products() -> list[Json]:
    """Return every product, archived ones included."""
    return _all("/v1/products/")


def create_product(fields: Json) -> Json:
    """Create a product."""
    return _data(gateway.call("POST", "/v1/products/", body=fields))


def set_benefits(product_id: str, benefit_ids: list[str]) -> None:
    """Attach exactly these benefits to a product."""
    path = f"/v1/products/{quote(product_id, safe='')}/benefits"
    gateway.call("POST", path, body={"benefits": benefit_ids})


def endpoints() -> list[Json]:
    """Return the webhook endpoints, each with its secret."""
    return _all("/v1/webhooks/endpoints")


def create_endpoint(fields: Json) -> Json:
    """Create a webhook endpoint; the answer carries the secret."""
    return _data(gateway.call("POST", "/v1/webhooks/endpoints", body=fields))


def update_endpoint(endpoint_id: str, changes: Json) -> Json:
    """Change a webhook endpoint."""
    path = f"/v1/webhooks/endpoints/{quote(endpoint_id, safe='')}"
    return _data(gateway.call("PATCH", path, body=changes))


def latest_deliveries(endpoint_id: str) -> list[Json]:
    """Return the last attempts to deliver to an endpoint, at most a hundred, the newest first."""
    page = gateway.page("/v1/webhooks/deliveries", 1, {"endpoint_id": endpoint_id})
    return [answer.data for answer in page.items]


def _all(path: str) -> list[Json]:
    return [answer.data for answer in _pages(path)]


def _pages(path: str) -> Iterator[gateway.Answer]:
    return gateway.pages(path)


def _data(answer: gateway.Answer) -> Json:
    data: Json = answer.data
    return data
