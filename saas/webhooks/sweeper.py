"""One quiet thread in each worker that finishes what nobody else finishes.

It tries again what failed and is due, and applies what a worker had stored and not applied when it was
killed. gunicorn.conf.py starts it; without it the next delivery does the same.
``flask webhooks retry`` does it for all that is not handled.
"""

import logging
import threading
import time

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from saas.extensions import db
from saas.kit.spreading import spread
from saas.webhooks import inbox

log = logging.getLogger(__name__)

EVERY_SECONDS = 20.0
BATCH = 100


def start(app: Flask) -> None:
    """Begin to sweep. Call it in a worker, not before the fork."""
    threading.Thread(
        target=_sweep_for_ever, args=(app,), name="webhook-sweeper", daemon=True
    ).start()


def sweep(app: Flask) -> int:
    """Apply what is due, batch by batch. Returns how many deliveries that were."""
    count = 0
    with app.app_context():
        try:
            while outcomes := inbox.retry_due(BATCH):
                count += len(outcomes)
                if len(outcomes) < BATCH:
                    break
        except SQLAlchemyError:
            db.session.rollback()
            log.exception("the inbox could not be swept; it is tried again in a moment")
    return count


def _sweep_for_ever(app: Flask) -> None:
    while True:
        time.sleep(spread(EVERY_SECONDS, 0.5))
        sweep(app)
