"""An installation as on a server: a copy of the project, .env, gunicorn, a systemctl that obeys."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from dotenv import dotenv_values

from polar_emulator import testing
from polar_emulator.catalogue import stable_id
from tests.runbooks.pages import Block
from tests.scripts import ROOT
from tests.scripts.running import clean_environment, copy_project, free_ports

USERS = """
from saas.accounts import passwords
from saas.accounts.models import User
from saas.extensions import db
from wsgi import app

with app.app_context():
    for number in range(10):
        user = User(email=f"user{number}@example.com", password_hash="!")
        user.confirm_email()
        db.session.add(user)
    db.session.commit()
"""
PASSED_ON = ("SSL_CERT_FILE", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL", "HTTPS_PROXY")
SECRET = "whsec_for-this-installation-only-0123456789"
PRODUCT = stable_id("product", "Pro Monthly")


FAILURE = """
from sqlalchemy import update

from saas.extensions import db
from saas.webhooks.models import Delivery
from wsgi import app

with app.app_context():
    failed = {"outcome": "failed", "handled_at": None, "error": "It broke.", "attempts": 12}
    changed = db.session.execute(update(Delivery).where(Delivery.type == "order.paid").values(failed))
    assert changed.rowcount
    db.session.commit()
"""


class Installation:
    """A folder with everything in it, running, and a local Polar that delivers to it."""

    def __init__(
        self,
        folder: Path,
        database_url: str = "sqlite:///instance/app.db",
        virtual_environment: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = copy_project(folder / "srv")
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self.polar = testing.start(webhook_url=f"{self.url}/webhooks/polar", webhook_secret=SECRET)
        self._write_files(port, database_url, virtual_environment)
        self._users = (f"user{number}@example.com" for number in range(10))
        passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self.environment = clean_environment(folder, BASE_URL=self.url, **passed_on)
        cache = os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache/uv")
        self.environment["UV_CACHE_DIR"] = cache
        self.environment |= {
            "UV_SYSTEM_CERTS": "1",
            "UV_NATIVE_TLS": "1",
        }  # As scripts/setup.py does.
        self.environment |= environment or {}
        self.environment["PATH"] = f"{self.folder / 'bin'}:{self.environment['PATH']}"

    def begin(self) -> None:
        """Migrate, make users, and serve."""
        python = ".venv/bin/python -c"
        self.sh(f".venv/bin/flask db upgrade && {python} '{USERS}' && .venv/bin/flask billing sync")
        self.sh("systemctl start app worker; .venv/bin/flask polar setup; systemctl restart app")

    def next_user(self) -> None:
        """Let the story be about a user who has not bought anything."""
        self.environment["EMAIL"] = next(self._users)

    def stop(self) -> None:
        """End what runs."""
        try:
            self.sh("systemctl stop app.socket app worker")
        finally:
            self.polar.stop()

    def run(self, found: list[Block]) -> str:
        """Run blocks, each in a shell of its own that stops at the first error, unless it has to fail."""
        assert found
        said = ""
        for block in found:
            done = self.sh(block.commands, check=block.word != "fails")
            assert block.word != "fails" or done.returncode, f"{block} did not fail"
            said += done.stdout
        return said

    def sh(self, commands: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run commands as somebody at the server would."""
        done = subprocess.run(["sh", "-euc", commands], cwd=self.folder, env=self.environment,
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert not check or done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        return done

    def flask(self, words: str) -> str:
        """What a command says."""
        return self.sh(f".venv/bin/flask {words}").stdout

    def plan(self) -> str:
        """The plan of the user, as our copy has it."""
        return str(json.loads(self.flask('billing status "$EMAIL" --json'))["plan"])

    def pays(self) -> None:
        """The user pays at Polar; whether we hear of it is another matter."""
        facts = json.loads(self.flask('billing status "$EMAIL" --json'))
        made = self.api(
            "POST", "/v1/checkouts/", products=[PRODUCT],
            customer_email=facts["email"], external_customer_id=facts["external_id"],
        )  # fmt: skip
        done = self.polar.complete_checkout(made["client_secret"])
        assert done.status_code == 200, done.text
        self.polar.wait_idle()

    def cannot_apply(self) -> None:
        """A payment arrived and failed here, again and again, until nobody tried it any more."""
        self.sh(f".venv/bin/python -c '{FAILURE}'")

    def api(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """A call of the Polar API."""
        headers = {"Authorization": f"Bearer {self.polar.token}"}
        answer = httpx.request(method, self.polar.url + path, json=body or None, headers=headers)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def endpoint(self) -> dict[str, Any]:
        """The webhook endpoint at Polar."""
        (found,) = self.api("GET", "/v1/webhooks/endpoints")["items"]
        return dict(found)

    def switch_endpoint(self, enabled: bool) -> None:
        """Let Polar deliver, or not."""
        self.api("PATCH", f"/v1/webhooks/endpoints/{self.endpoint()['id']}", enabled=enabled)

    def settings(self) -> dict[str, str]:
        """What .env says now."""
        return {name: value or "" for name, value in dotenv_values(self.folder / ".env").items()}

    def _write_files(self, port: int, database_url: str, virtual_environment: bool) -> None:
        for name in ("uv.lock", "requirements.txt", "requirements-dev.txt"):
            shutil.copy(ROOT / name, self.folder / name)
        for name in ("bin", "instance", "backups"):
            (self.folder / name).mkdir()
        if virtual_environment:
            (self.folder / ".venv").symlink_to(sys.prefix)
        for name in ("systemctl", "docker"):
            program = self.folder / "bin" / name
            here = Path(__file__).with_name(f"{name}.py").read_text()
            program.write_text(f"#!{self.folder}/.venv/bin/python\n{here}")
            program.chmod(0o755)
        settings = {
            "APP_ENV": "development",
            "SECRET_KEY": "for-this-installation-only-0123456789abcdef",
            "BASE_URL": self.url,
            "PORT": str(port),
            "DATABASE_URL": database_url,
            "MAIL_FROM": "Acme <hello@acme.example>",
            "POLAR_API_URL": self.polar.url,
            "POLAR_WEBHOOK_SECRET": SECRET,
        }
        # As an editor leaves it that ends no last line.
        text = "\n".join(f"{name}={value}" for name, value in settings.items())
        (self.folder / ".env").write_text(text)
