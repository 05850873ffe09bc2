"""Reports of errors arrive where SENTRY_DSN says, without what is personal."""

import json
import subprocess
import sys
from dataclasses import replace
from http.server import ThreadingHTTPServer

import pytest

from saas.config import ROOT, Settings
from saas.config.checks import problems

PROGRAM = """
import json, sys
from saas.app import create_app
from saas.config import Settings
app = create_app(Settings(**json.loads(sys.argv[1])))

@app.get("/bug/<token>")
def bug(token):
    password = secret["local"]
    raise RuntimeError(secret["message"])

# Not written here: the lines of a program are part of the report.
secret = json.loads(sys.argv[2])
answer = app.test_client().get(
    f"/bug/x?card={secret['query']}",
    headers={"Cookie": f"session={secret['cookie']}", "X-Thing": secret["header"]},
)
assert answer.status_code == 500
import sentry_sdk
sentry_sdk.flush(5)
"""

SECRETS = {
    "local": "hunter2hunter2",
    "message": "ada@example.com could not pay with polar_oat_abcdef",
    "query": "4242424242424242",
    "cookie": "cookievalue",
    "header": "headervalue",
}


def test_a_bug_is_reported_and_nothing_personal(
    ingest: ThreadingHTTPServer, settings: Settings
) -> None:
    dsn = f"http://publickey@127.0.0.1:{ingest.server_address[1]}/7"
    values = {"app_env": "development", "secret_key": settings.secret_key, "release": "v7"}
    values |= {"jobs_url": "inline", "sentry_dsn": dsn, "mail_backend": "locmem"}
    values |= {"database_url": "sqlite:///:memory:", "base_url": "http://localhost"}
    command = [sys.executable, "-c", PROGRAM, json.dumps(values), json.dumps(SECRETS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = "\n".join(ingest.reports)
    assert "RuntimeError" in report
    assert "[e-mail] could not pay with [secret]" in report
    assert '"release":"v7"' in report.replace(" ", "")
    assert "request_id" in report
    for secret in ("ada@example", "abcdef", "hunter2", "424242", "cookievalue", "headervalue"):
        assert secret not in report


@pytest.mark.parametrize(
    "dsn", ["sentry.io", "https://host/1", "https://key@host/x", "ftp://k@h/1"]
)
def test_an_address_that_is_none_gets_a_sentence(settings: Settings, dsn: str) -> None:
    (problem,) = problems(replace(settings, sentry_dsn=dsn))
    assert problem.startswith("SENTRY_DSN must be like")
    assert dsn not in problem


def test_the_package_is_installed_everywhere_and_loaded_only_where_it_is_wanted() -> None:
    assert "\nsentry-sdk==" in (ROOT / "requirements.txt").read_text(encoding="utf-8")
    program = "import sys, saas.app; sys.exit('sentry_sdk' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
