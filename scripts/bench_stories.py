"""Deliveries for the benchmark: a recorded purchase of the real Polar, retold for many customers."""

import json
import re
import uuid
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORDING = ROOT / "tests/fixtures/polar/deliveries/02-paid-monthly-checkout.jsonl"
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHARED = ("product_id", "benefit_id", "organization_id", "product_price_id", "price_id")


@dataclass(frozen=True)
class Delivery:
    """One delivery before it is signed."""

    webhook_id: str
    body: bytes


def external_id(number: int) -> str:
    """Our id of a customer of the benchmark."""
    return f"bench_{number}"


def purchases(customers: int) -> list[Delivery]:
    """Return the deliveries of one paid purchase for each customer, customer by customer."""
    lines = RECORDING.read_text(encoding="utf-8").splitlines()
    recorded = [json.loads(line) for line in lines]
    bodies = [line["body"] for line in recorded]
    shared = _shared_ids(bodies)
    return [
        Delivery(_other(line["headers"]["webhook-id"], number), _retold(body, number, shared))
        for number in range(customers)
        for line, body in zip(recorded, bodies, strict=True)
    ]


def _retold(body: str, number: int, shared: frozenset[str]) -> bytes:
    text = body.replace("user_2", external_id(number)).replace("jane.pro@", f"jane{number}@")
    return UUID.sub(
        lambda found: found[0] if found[0] in shared else _other(found[0], number), text
    ).encode()


def _other(key: str, number: int) -> str:
    return str(uuid.uuid5(uuid.UUID(key), str(number)))


def _shared_ids(bodies: list[str]) -> frozenset[str]:
    """What all customers have in common: the catalogue and the organisation."""
    found: set[str] = set()
    for body in bodies:
        _collect(json.loads(body), found)
    return frozenset(found)


def _collect(value: object, found: set[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _collect(item, found)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key in SHARED and isinstance(inner, str):
            found.add(inner)
        if key in {"product", "benefit"} and isinstance(inner, dict):
            found.update(UUID.findall(json.dumps(inner)))
        else:
            _collect(inner, found)
