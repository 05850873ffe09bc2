"""How a worker learns at once that there is something to do: huey carries the id of the job.

The database has the jobs; what is lost on this way is found there a moment later. So a queue that is
away costs a little time, never a job, and its messages hold nothing but a number.
"""

import json
import logging
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from saas.kit.processes import PerProcess

if TYPE_CHECKING:
    from huey.api import Huey

log = logging.getLogger(__name__)

NAME = "saas"
TASK = "job"
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 5.0  # Longer than the second for which a worker waits for a message.
REST_SECONDS = 10.0  # Requests do not wait for a queue that did not answer just now.


class Transport:
    """The queue at one address: ``sqlite:///file``, ``redis://…`` or ``postgresql://…``."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._huey = PerProcess(
            lambda: connect(address)
        )  # Connections must not be shared by a fork.
        self._rests_until = 0.0
        self._called = PerProcess(threading.Event)

    def huey(self) -> "Huey":
        """Return the queue of this process. Raises whatever its client raises when it is away."""
        return self._huey.get()

    @property
    def called(self) -> threading.Event:
        """What is set when this process has new jobs, for who stands in where no worker runs."""
        return self._called.get()

    def close(self) -> None:
        """Close the connections of this thread."""
        if (made := self._huey.made()) is not None:
            made.storage.close()

    def wake(self, job_ids: Iterable[int]) -> None:
        """Tell a worker of these jobs. Never raises: without it they are found a moment later."""
        self.called.set()
        if time.monotonic() < self._rests_until:
            return
        try:
            huey = self.huey()
            for job_id in job_ids:
                huey.storage.enqueue(json.dumps(job_id).encode())
        except Exception as error:
            self._rests_until = time.monotonic() + REST_SECONDS
            log.warning("the queue is away (%s); jobs will start later", type(error).__name__)

    def check(self) -> None:
        """Raise whatever its client raises when the queue cannot be used."""
        self.huey().storage.queue_size()

    def next_job(self) -> int | None:
        """Return the id of a job that somebody was woken for. May wait a second for one."""
        data = self.huey().storage.dequeue()
        return int(json.loads(data)) if data is not None else None


def connect(address: str) -> "Huey":
    """Return the queue at ``address``. huey is imported here, since most commands do without."""
    import huey

    scheme = urlsplit(address).scheme
    if scheme in {"redis", "rediss", "unix"}:
        from redis import ConnectionPool

        pool: Any = ConnectionPool.from_url(
            address, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=ANSWER_SECONDS
        )
        return huey.RedisHuey(NAME, connection_pool=pool, results=False)
    if scheme.startswith("postgres"):
        dsn = "postgresql://" + address.partition("://")[2]
        return huey.PostgresHuey(NAME, dsn=dsn, connect_timeout=int(CONNECT_SECONDS), results=False)
    filename = address.removeprefix("sqlite:///")
    return huey.SqliteHuey(NAME, filename=filename, results=False)
