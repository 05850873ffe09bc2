"""How gunicorn serves the application: ``gunicorn wsgi:app`` finds this file by itself."""

import gc
import sys
import threading
from pathlib import Path
from typing import Any

from saas.config import ConfigurationError, from_environment, load_env_file
from saas.observability import logs, shared_counts

try:
    load_env_file()
    settings = from_environment()
except ConfigurationError as error:
    sys.exit(str(error))

host = f"[{settings.host}]" if ":" in settings.host else settings.host
bind = f"{host}:{settings.port}"
workers = settings.web_concurrency
threads = settings.web_threads
worker_class = "gthread"

# What loading makes stays for good; to search it for garbage again and again takes a tenth of the start.
gc.disable()

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

# The application writes a line for each request itself (ACCESS_LOG): it names the route, while the address
# of a reset link, which gunicorn would print, opens an account.
accesslog = None
errorlog = "-"
loglevel = settings.log_level  # ``--log-level`` wins over it.
logconfig_dict = logs.for_gunicorn(settings.log_format)

# Each process counts in files of its own, and the one that is asked adds them up. The library reads the name
# of their folder when it is imported.
if settings.metrics_token:
    shared_counts.begin()

# Which proxies may say that a request came by https. The address of the client is the business of
# the setting TRUSTED_PROXIES, which the application reads.
forwarded_allow_ips = ",".join(settings.forwarded_allow_ips)

# No header may say where the application is mounted: it would become the beginning of every link.
forwarder_headers = ""

# Heartbeats are files: in memory they cannot be held up by a slow disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


def pre_fork(_server: Any, worker: Any) -> None:
    """Import what is slow, and begin each worker without a connection of this process."""
    application = worker.app.wsgi()
    if "jobs" in getattr(application, "extensions", {}):
        from saas import warming

        warming.before_fork(application)
    gc.freeze()  # No worker looks at it either, so that it stays shared memory.


def post_worker_init(worker: Any) -> None:
    """Let each process finish what was left behind, and do the small jobs where no worker runs."""
    gc.enable()
    if "jobs" in worker.wsgi.extensions:
        from saas import warming
        from saas.jobs import standin
        from saas.webhooks import sweeper

        sweeper.start(worker.wsgi)
        standin.start(worker.wsgi)
        threading.Thread(target=warming.after_fork, args=(worker.wsgi,), daemon=True).start()


def worker_exit(_server: Any, worker: Any) -> None:
    """Let a job in hand come to its end."""
    if "jobs" in getattr(worker.wsgi, "extensions", {}):
        from saas.jobs import standin

        standin.stop(worker.wsgi)


def child_exit(_server: Any, worker: Any) -> None:
    """Keep the numbers of a process that ended, and not its files."""
    shared_counts.process_ended(worker.pid)


def on_exit(_server: Any) -> None:
    """Leave no files behind."""
    shared_counts.end()
