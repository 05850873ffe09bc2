"""Numbers for Prometheus. Without METRICS_TOKEN nothing is counted and nothing imported.

Every process of gunicorn counts in files of its own; the one that is asked adds them up, see
``shared_counts``. Labels are bounded: routes by name, event types and outcomes that
we know.
"""

import os
from typing import Any

from saas.observability import shared_counts

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Seconds. Pages take milliseconds, those that wait for Polar take up to its time-out.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LAG_BUCKETS = (0.1, 0.5, 1, 5, 15, 60, 300, 3600, 21600, 86400)

ADDED_UP = (
    "_total",
    "_sum",
    "_count",
)  # What counts on; buckets of many workers would be too many rows.

Sample = tuple[str, tuple[tuple[str, str], ...]]  # Its name, and its labels in their order.

_made: dict[str, Any] = {}


def enable() -> None:
    """Begin to count in this process and in those that are forked from it."""
    if _made:
        return
    from prometheus_client import Counter, Histogram

    where = ["endpoint", "method", "status"]
    _made["requests"] = Counter("http_requests", "Requests answered.", where)
    _made["latency"] = Histogram(
        "http_request_duration_seconds", "Time to an answer.", ["endpoint"], buckets=BUCKETS
    )
    _made["deliveries"] = Counter(
        "webhook_deliveries", "Deliveries of Polar, by what became of them.", ["type", "outcome"]
    )
    _made["lag"] = Histogram(
        "webhook_delivery_lag_seconds",
        "From the moment of the event at Polar until it was applied here.",
        buckets=LAG_BUCKETS,
    )
    _made["jobs"] = Counter("jobs_ended", "Jobs, by what became of them.", ["name", "outcome"])
    _made["polar"] = Counter("polar_calls", "Calls to Polar.", ["operation", "outcome"])
    _made["polar_latency"] = Histogram(
        "polar_call_duration_seconds", "Time that Polar took.", ["operation"], buckets=BUCKETS
    )


def request_ended(endpoint: str, method: str, status: int, seconds: float) -> None:
    """Count a request."""
    if _made:
        verb = method if method in METHODS else "OTHER"
        _made["requests"].labels(endpoint, verb, str(status)).inc()
        _made["latency"].labels(endpoint).observe(seconds)


def delivery_ended(event_type: str, outcome: str, lag_seconds: float | None = None) -> None:
    """Count a delivery. ``event_type`` must be one of a bounded number."""
    if _made:
        _made["deliveries"].labels(event_type, outcome).inc()
        if lag_seconds is not None:
            _made["lag"].observe(max(0.0, lag_seconds))


def job_ended(name: str, outcome: str) -> None:
    """Count an attempt at a job. ``name`` must be one of a bounded number."""
    if _made:
        _made["jobs"].labels(name, outcome).inc()


def polar_called(operation: str, outcome: str, seconds: float) -> None:
    """Count a call to Polar. ``operation`` has no ids in it."""
    if _made:
        _made["polar"].labels(operation, outcome).inc()
        _made["polar_latency"].labels(operation).observe(seconds)


def counted() -> dict[Sample, float]:
    """Return what this process has counted, without buckets."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for metric in _made.values()
        for family in metric.collect()
        for sample in family.samples
        if sample.name.endswith(ADDED_UP)
    }


def collect(extra: Any) -> bytes:
    """Return everything in the text format of Prometheus, with what ``extra`` collects."""
    from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

    registry: CollectorRegistry = CollectorRegistry()
    folder = os.environ.get(shared_counts.VARIABLE)
    registry.register(_Counted(folder) if folder else REGISTRY)
    registry.register(extra)
    return generate_latest(registry)


class _Counted:
    def __init__(self, folder: str) -> None:
        self.found = shared_counts.collected(folder)

    def collect(self) -> list[Any]:
        return self.found
