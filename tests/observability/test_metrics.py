"""``/metrics``: for those who know the token, with few labels and true numbers. A process of its own, since
the library counts for all applications of a process together."""

import json
import subprocess
import sys

import pytest
from flask import Flask

from saas.billing.gateway import wire
from saas.config import ROOT, Settings

PROGRAM = """
import json, sys
from pathlib import Path
from flask_migrate import upgrade
from saas.app import create_app
from saas.config import Settings
from tests.webhooks.door import event, send
app = create_app(Settings(**json.loads(sys.argv[1])))
with app.app_context():
    upgrade()
client = app.test_client()
for path in ("/login", "/reset-password/abcdef", "/nowhere"):
    client.get(path)
client.open("/", method="BREW")
send(client, event("made.up", {}), webhook_id="a")
send(client, event("customer.updated", {"id": "x"}), webhook_id="b")
from saas.billing import gateway
with app.app_context():
    try:
        gateway.customer_by_external_id("12345678-1234")
    except gateway.PolarError:
        pass
answer = client.get("/metrics", headers={"Authorization": "Bearer sesame"})
assert answer.status_code == 200, answer.text
print(answer.text)
"""


@pytest.fixture(scope="module")
def numbers(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("metrics")
    values = {
        "app_env": "development",
        "secret_key": settings.secret_key,
        "database_url": f"sqlite:///{folder}/metrics.db",
        "polar_api_url": settings.polar_api_url,
        "polar_webhook_secrets": settings.polar_webhook_secrets,
        "base_url": "http://localhost",
        "mail_backend": "locmem",
        "mail_from": "a@example.com",
        "jobs_url": "inline",
        "metrics_token": "sesame",
    }
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, json.dumps(values)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "line",
    [
        'http_requests_total{endpoint="accounts.login",method="GET",status="200"} 1.0',
        'http_requests_total{endpoint="none",method="GET",status="404"} 1.0',
        'http_request_duration_seconds_count{endpoint="accounts.password_reset"} 1.0',
        'webhook_deliveries_total{outcome="unknown",type="other"} 1.0',
        'webhook_deliveries_total{outcome="failed",type="customer.updated"} 1.0',
        'jobs{state="failed"} 0.0',
        "# TYPE webhook_last_delivery_age_seconds gauge",
        "# TYPE webhook_oldest_unhandled_seconds gauge",
    ],
)
def test_numbers(numbers: str, line: str) -> None:
    assert line in numbers.splitlines()


def test_calls_to_polar_are_counted_without_ids(numbers: str) -> None:
    """One, or two when the first failed quickly."""
    labels = '{operation="GET /v1/customers/external/{id}",outcome="no answer"}'
    assert f"polar_calls_total{labels} " in numbers


def test_labels_are_not_made_up_by_visitors(numbers: str) -> None:
    assert "abcdef" not in numbers
    assert "nowhere" not in numbers
    assert "BREW" not in numbers
    assert "made.up" not in numbers
    assert "12345678" not in numbers


def test_there_is_no_such_page_without_a_token(app: Flask) -> None:
    assert app.test_client().get("/metrics").status_code == 404


@pytest.mark.parametrize("given", ["", "Bearer wrong", "sesam", "Bearer ﷽"])
def test_only_for_those_who_know(app: Flask, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    from dataclasses import replace

    known = replace(app.extensions["settings"], metrics_token="sesame")
    monkeypatch.setitem(app.extensions, "settings", known)
    headers = {"Authorization": given.encode().decode("latin-1")} if given else {}
    answer = app.test_client().get("/metrics", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_operations_have_no_ids() -> None:
    assert wire.operation("GET", "/v1/products/") == "GET /v1/products"
    path = "/v1/subscriptions/0a1b2c3d-0000-4000-8000-000000000000"
    assert wire.operation("PATCH", path) == "PATCH /v1/subscriptions/{id}"
