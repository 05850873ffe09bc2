"""What the merchant wrote into the metadata of products and benefits, and what of it cannot be read.

Polar's forms make text of everything, its API takes numbers as well: both count.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

from saas.kit.text import slug

Metadata = dict[str, Any]

DIGITS = re.compile(r"[0-9]{1,15}")  # More would be lost as a number in JSON.
LARGEST = 10**15
YES, NO = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0", ""})


def feature_name(description: str, meta: Metadata) -> str:
    """Return the name that code uses for a feature flag: metadata ``feature``, else its description."""
    return _text(meta.get("feature")) or slug(description)


def limits(description: str, meta: Metadata) -> dict[str, int]:
    """Return the limits that one feature flag sets: ``limit`` for its feature, and every other number."""
    counts = {name: _count(value) for name, value in meta.items() if name != "feature"}
    own = feature_name(description, meta)
    return {
        own if name == "limit" else name: count
        for name, count in counts.items()
        if count is not None
    }


def plan_key(name: str, meta: Metadata) -> str:
    """Return the plan's name in code: metadata ``plan``, else the name of the product."""
    return _text(meta.get("plan")) or name


def position(meta: Metadata) -> float:
    """Return the place on the pricing page, from metadata ``order``; what has none goes last."""
    value = meta.get("order")
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return math.inf
    return number if math.isfinite(number) else math.inf


def is_highlighted(meta: Metadata) -> bool:
    """True for the product that is recommended."""
    return _word(meta.get("highlight")) in YES


def mistakes_of_benefit(description: str, meta: Metadata) -> Iterator[str]:
    """Say what cannot be read in the metadata of a feature flag, and how it should be."""
    who = f"the benefit {description}"
    if "feature" in meta and not _text(meta["feature"]):
        yield f"{who}: feature is {_shown(meta['feature'])}; write a name, such as reports"
    for name, value in meta.items():
        is_meant_as_count = name == "limit" or _is_number(value)
        if name != "feature" and is_meant_as_count and _count(value) is None:
            yield f"{who}: {name} is {_shown(value)}; write a whole number, such as 25"


def mistakes_of_product(name: str, meta: Metadata) -> Iterator[str]:
    """Say what cannot be read in the metadata of a product, and how it should be."""
    who = f"the product {name}"
    if "plan" in meta and not _text(meta["plan"]):
        yield f"{who}: plan is {_shown(meta['plan'])}; write a short name, such as pro"
    if "order" in meta and math.isinf(position(meta)):
        yield f"{who}: order is {_shown(meta['order'])}; write a number, such as 2"
    if "highlight" in meta and _word(meta["highlight"]) not in YES | NO:
        yield f"{who}: highlight is {_shown(meta['highlight'])}; write true or false"


def _count(value: object) -> int | None:
    """Read a whole number, also one that is written as text. ``None`` for anything else."""
    if isinstance(value, str) and DIGITS.fullmatch(value.strip()):
        return int(value)
    if _is_number(value) and isinstance(value, int | float) and 0 <= value < LARGEST:
        return int(value) if value == int(value) else None
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _word(value: object) -> str:
    return str(value).strip().casefold()


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else _word(value)
