"""Work that nobody waits for: written down with the change it belongs to, done by a worker in a moment.

``enqueue`` is called inside a transaction and takes part in it: what is rolled back is not done, what is
committed is done at least once. See docs/jobs.md.
"""

from saas.jobs.outbox import enqueue, init_app
from saas.jobs.registry import GiveUp, handler

__all__ = ["GiveUp", "enqueue", "handler", "init_app"]
