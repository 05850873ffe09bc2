"""Log lines, as JSON for machines or as text for people. Nothing personal and nothing secret gets through.

What is logged is written with care where it is written; here it is gone over once more, since the text of an
exception may hold anything.
"""

import copy
import json
import logging
from datetime import UTC, datetime
from typing import Any

from saas.kit import trouble
from saas.kit.redaction import redact
from saas.observability import context

TEXT = "%(levelname)s %(name)s: %(message)s"
FIELDS = "fields"  # `log.info("...", extra={FIELDS: {...}})` adds fields to the JSON.


class TextFormatter(logging.Formatter):
    """A line for a person."""

    def __init__(self) -> None:
        super().__init__(TEXT)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback under it."""
        return redact(super().format(_in_words(record)))


class JsonFormatter(logging.Formatter):
    """One JSON object in one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object with what is known of the request or the job."""
        record = _in_words(record)
        moment = datetime.fromtimestamp(record.created, UTC)
        entry: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        entry |= {name: redact(value) for name, value in context.known().items()}
        entry |= {name: _clean(value) for name, value in getattr(record, FIELDS, {}).items()}
        if record.exc_info:
            entry["error"] = redact(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


def formatter(log_format: str) -> logging.Formatter:
    """Return the formatter of this name."""
    return JsonFormatter() if log_format == "json" else TextFormatter()


def configure(log_format: str, level: str) -> None:
    """Send everything to standard error in this format from ``level`` on; of others at most warnings."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(log_format))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    ours = logging.getLogger("saas")
    ours.setLevel(level)
    root.setLevel(max(ours.level, logging.WARNING))


def for_gunicorn(log_format: str) -> dict[str, Any]:
    """Return how gunicorn's own lines are to look, as its setting ``logconfig_dict``.

    There is no level for them in it, since it would win over ``loglevel``.
    """
    name = "JsonFormatter" if log_format == "json" else "TextFormatter"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"ours": {"()": f"{__name__}.{name}"}},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ours"}},
        "loggers": {
            "gunicorn.error": {"handlers": ["stderr"], "propagate": False},
            "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
        },
    }


def _in_words(record: logging.LogRecord) -> logging.LogRecord:
    """Return what to write: of a database that is away its own words, since no code of ours is to blame.

    Threads that go on without it would repeat a hundred lines of traceback every few seconds.
    """
    why = trouble.reason(record.exc_info[1]) if record.exc_info and record.exc_info[1] else None
    if why is None:
        return record
    record = copy.copy(record)  # Other handlers get the traceback.
    record.msg, record.args = f"{record.getMessage()}: the database cannot be used: {why}", ()
    record.exc_info = record.exc_text = None
    return record


def _clean(value: Any) -> Any:
    return redact(value) if isinstance(value, str) else value
