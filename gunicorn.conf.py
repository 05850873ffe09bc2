"""How gunicorn serves the application: ``gunicorn wsgi:app`` finds this file by itself."""

import os
from pathlib import Path
from typing import Any

from dotenv import load_dotenv

load_dotenv(Path(__file__).with_name(".env"))

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = os.environ.get("PORT", "8000")

bind = f"{HOST}:{PORT}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
worker_class = "gthread"

# The application is loaded once and shared by the workers, which saves memory and shows a broken
# configuration at once instead of restarting workers for ever.
preload_app = True

# Sending a signal is all the control we need, so there is no socket that takes commands.
control_socket_disable = True

timeout = 30
graceful_timeout = (
    20  # A checkout waits for Polar for 8 seconds at most; a deployment may take longer.
)
keepalive = 5
max_requests = 10_000  # A slow leak in any library ends here.
max_requests_jitter = 1_000

accesslog = "-" if os.environ.get("ACCESS_LOG") == "1" else None
errorlog = "-"

# Which proxies may say that a request came by https. The address of the client is the business of
# the setting TRUSTED_PROXIES, which the application reads.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")

# Heartbeats are files: in memory they cannot be held up by a slow disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


def post_worker_init(worker: Any) -> None:
    """Let each process finish what was left behind, and do the small jobs where no worker runs."""
    if "jobs" in worker.wsgi.extensions:
        from saas.jobs import standin
        from saas.webhooks import sweeper

        sweeper.start(worker.wsgi)
        standin.start(worker.wsgi)


def worker_exit(_server: Any, worker: Any) -> None:
    """Let a job in hand come to its end."""
    if "jobs" in getattr(worker.wsgi, "extensions", {}):
        from saas.jobs import standin

        standin.stop(worker.wsgi)
