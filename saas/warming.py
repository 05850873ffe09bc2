"""What is slow the first time is done before somebody waits for it.

Modules are imported before the workers are forked, so that they share the memory. Connections are made after
that: one that two processes share mixes up their answers.
"""

import logging
from importlib import import_module

from flask import Flask

from saas.extensions import db
from saas.monitoring import readiness

log = logging.getLogger(__name__)

# Imported at their first use everywhere else.
SLOW = ("polar", "httpx", "huey", "alembic.script", "email_validator")


def before_fork(app: Flask) -> None:
    """Import what is slow, and close what is open to the database, should anything have opened it."""
    for name in SLOW:
        import_module(name)
    with app.app_context():
        db.engine.dispose()


def after_fork(app: Flask) -> None:
    """Connect to the database and to the queue. Trouble is met again by whoever comes first."""
    try:
        with app.app_context():
            readiness.vital()
            readiness.desirable()
        app.extensions["jobs"].huey()
    except Exception as error:
        log.warning("not everything could be warmed up: %s", type(error).__name__)
