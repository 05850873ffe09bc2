"""What a worker counts, written down beside the jobs, since nobody can ask the worker itself.

It is added to what all workers have counted before, also to what they counted before they were restarted.
"""

import json
import threading
from typing import cast

from sqlalchemy import Table, select

from saas.extensions import db, insert, start_write
from saas.jobs.models import Tally
from saas.kit.processes import PerProcess
from saas.observability import metrics

_saved: PerProcess[dict[metrics.Sample, float]] = PerProcess(dict)
_saving = threading.Lock()


def save() -> None:
    """Add what this process has counted since it last did so. Without METRICS_TOKEN that is nothing."""
    with _saving:
        now, saved = metrics.counted(), _saved.get()
        more = {key: value - saved.get(key, 0) for key, value in now.items()}
        rows = [
            {"sample": name, "labels": json.dumps(dict(labels)), "value": value}
            for (name, labels), value in sorted(more.items())
            if value
        ]
        if rows:
            _add(rows)
            saved.update(now)


def found() -> dict[metrics.Sample, float]:
    """Return what all workers have counted."""
    rows = db.session.execute(select(Tally.sample, Tally.labels, Tally.value)).all()
    return {(row[0], tuple(json.loads(row[1]).items())): row[2] for row in rows}


def _add(rows: list[dict[str, object]]) -> None:
    table = cast(Table, Tally.__table__)
    statement = insert(table)
    together = table.c.value + statement.excluded.value
    start_write()
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["sample", "labels"], set_={"value": together}
        ),
        rows,
    )
    db.session.commit()
