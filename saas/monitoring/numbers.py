"""The numbers that are read from the database when somebody asks, instead of being counted."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from saas.billing import runs
from saas.extensions import db
from saas.jobs import heartbeat, records, tallies
from saas.monitoring.readiness import age, in_seconds, oldest_unhandled
from saas.observability.metrics import Sample
from saas.webhooks.models import Delivery

if TYPE_CHECKING:
    from prometheus_client import Metric


class FromTheDatabase:
    """A collector for Prometheus. While the database is away it has nothing to say."""

    def collect(self) -> "Iterator[Metric]":
        """Yield the numbers. A value that there is none of is left out."""
        from prometheus_client.core import GaugeMetricFamily

        try:
            figures, values, tallied = records.figures(), _ages(), tallies.found()
        except SQLAlchemyError:
            db.session.rollback()
            return
        by_state = GaugeMetricFamily("jobs", "Jobs that are not done.", labels=["state"])
        for state in ("waiting", "running", "failed"):
            by_state.add_metric([state], getattr(figures, state))
        yield by_state
        values["jobs_oldest_due_seconds", "Since when a job could have begun."] = age(
            figures.oldest_due
        )
        for (name, words), value in values.items():
            if value is not None:
                yield GaugeMetricFamily(name, words, value=value)
        yield from _of_workers(tallied)


def _of_workers(tallied: dict[Sample, float]) -> "Iterator[Metric]":
    """Yield what workers have counted, under names of its own: each machine that is asked says the same."""
    from prometheus_client import Metric

    families: dict[str, Metric] = {}
    for (sample, labels), value in sorted(tallied.items()):
        name, _, kind = sample.rpartition("_")
        words, typ = "Counted by all workers together.", "counter" if kind == "total" else "summary"
        family = families.setdefault(name, Metric(f"worker_{name}", words, typ))
        family.add_sample(f"worker_{sample}", dict(labels), value)
    yield from families.values()


def _ages() -> dict[tuple[str, str], float | None]:
    last = db.session.scalar(select(Delivery.received_at).order_by(Delivery.id.desc()).limit(1))
    found = {
        ("webhook_last_delivery_age_seconds", "Since the last delivery."): age(last),
        ("webhook_oldest_unhandled_seconds", "Since the oldest that is not applied."): age(
            oldest_unhandled()
        ),
        ("worker_last_seen_seconds", "Since a worker has shown itself."): in_seconds(
            heartbeat.silence()
        ),
        ("billing_comparison_age_seconds", "Since everybody was compared with Polar."): age(
            runs.last_finished()
        ),
    }
    db.session.rollback()
    return found
