"""Two web instances, two workers and what they need, with the settings of production, on this machine."""

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from stack_front import Front, Tunnel
from stack_parts import MailServer, Process, StackError, free_port, guardian

from polar_emulator import testing
from polar_emulator.catalogue import stable_id

ROOT = Path(__file__).resolve().parent.parent
SECRET = "whsec_for-this-rehearsal-only-0123456789abcdef"
READY = "/readyz"
PRODUCT = stable_id("product", "Pro Monthly")
FLASK = [sys.executable, "-m", "flask", "--app", "wsgi"]
MIGRATION = '''"""A release that is rehearsed: it adds, and takes nothing away."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = {head!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table, two columns and an index."""
    op.create_table("rehearsals", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column("users", sa.Column("rehearsed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "users", sa.Column("rehearsals", sa.Integer(), nullable=False, server_default="0")
    )
    with op.get_context().autocommit_block():
        op.create_index("ix_users_rehearsed_at", "users", ["rehearsed_at"], postgresql_concurrently=True)


def downgrade() -> None:
    """Nobody goes back."""
'''


class Stack:
    """Everything that runs, and what is done to it."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, mails: MailServer) -> None:
        self.folder, self.mails, self.kills = folder, mails, list[float]()
        self.database_url = database_url
        ports = [free_port(), free_port()]
        plain = free_port()
        self.polar = testing.start(
            webhook_url=f"http://127.0.0.1:{plain}/webhooks/polar", webhook_secret=SECRET
        )
        self.front = Front(ROOT / "deploy/nginx.conf", folder, ports, plain, self.polar.url)
        self.tunnel = Tunnel(self.front.polar)
        self.environment = self._environment(redis_url)
        self.web = {
            port: self._part(f"web-{port}", ["gunicorn", "wsgi:app"], port) for port in ports
        }
        self.workers = [self._part(f"worker-{n}", [*FLASK[2:], "worker"], 0) for n in (1, 2)]
        self.release = ROOT

    @contextmanager
    def running(self) -> Iterator["Stack"]:
        """Start everything; end it when the block ends."""
        with ExitStack() as stack:
            stack.callback(guardian.dismiss)
            stack.callback(self.polar.stop)
            for part in (self.front.process, *self.web.values(), *self.workers):
                stack.callback(part.stop)
            self.front.start()
            stack.enter_context(self.tunnel)
            self.flask("db", "upgrade")
            self.flask("billing", "sync")
            for part in (*self.web.values(), *self.workers):
                part.start()
            for port in self.web:
                self.wait_for(port)
            yield self

    def flask(self, *words: str) -> None:
        """Run a command of the present release; raises ``StackError`` with what it said."""
        done = subprocess.run([*FLASK, *words], cwd=self.release, env=self.environment,
                              capture_output=True, text=True, check=False)  # fmt: skip
        if done.returncode:
            raise StackError(f"flask {' '.join(words)} failed:\n{done.stdout}{done.stderr}"[-3000:])

    def wait_for(self, port: int) -> None:
        """Return when an instance says that it is ready."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{READY}",
            headers={"Host": "localhost", "X-Forwarded-Proto": "https"},
        )

        def is_ready() -> bool:
            try:
                with urllib.request.urlopen(request, timeout=5) as answer:
                    return bool(answer.status == 200)
            except OSError:
                return False

        self.web[port].wait_until(is_ready)

    def new_release(self) -> None:
        """Copy the project, with one migration more; apply that while the old release serves."""
        target = self.folder / "release"
        for name in ("gunicorn.conf.py", "wsgi.py", "pyproject.toml"):
            target.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, target / name)
        for name in ("saas", "migrations", "templates", "static"):
            shutil.copytree(ROOT / name, target / name)
        head = max(
            path.stem.split("_")[0] for path in (target / "migrations/versions").glob("*.py")
        )
        (target / "migrations/versions/9999_rehearsal.py").write_text(MIGRATION.format(head=head))
        with (target / "static/css/tokens.css").open("a") as sheet:
            sheet.write("\n/* Another release, so another name of the style sheet. */\n")
        self.release = target
        self.flask("db", "upgrade")
        for port in self.web:
            self.wait_for(port)  # A database that is ahead of an old release does not trouble it.

    def replace(self) -> None:
        """Put the present release into service: one part after the other, each taken out first."""
        for port, part in self.web.items():
            self.front.take_out(port)
            part.stop()
            part.folder = self.release
            part.start()
            self.wait_for(port)
            self.front.put_back(port)
        for worker in self.workers:
            worker.stop()
            worker.folder = self.release
            worker.start()

    def _part(self, name: str, module: list[str], port: int) -> Process:
        environment = self.environment | {"PORT": str(port)}
        command = [sys.executable, "-m", *module]
        return Process(name, command, ROOT, environment, self.folder / f"{name}.log")

    def _environment(self, redis_url: str) -> dict[str, str]:
        """The settings of production; what points to this machine is only what points to a proxy."""
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "APP_ENV": "production",
            "SECRET_KEY": "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "BASE_URL": self.front.url,
            "DATABASE_URL": self.database_url,
            "JOBS_URL": redis_url,
            "RATE_LIMIT_STORAGE": redis_url,
            "POLAR_SERVER": "sandbox",
            "POLAR_ACCESS_TOKEN": "polar_oat_for_this_rehearsal_only",
            "POLAR_WEBHOOK_SECRET": SECRET,
            "HTTPS_PROXY": f"http://127.0.0.1:{self.tunnel.port}",
            "SSL_CERT_FILE": str(self.folder / "ca.pem"),
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(self.mails.port),
            "MAIL_USE_TLS": "0",
            "MAIL_FROM": "hello@example.com",
            "TRUSTED_PROXIES": "1",
            "HOST": "127.0.0.1",
        }
