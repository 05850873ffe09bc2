"""Nothing of a body gets into a log line or a report of an error, whatever is wrong with the body."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer

import pytest
from flask import Flask
from werkzeug.wrappers import Response

from saas.billing import gateway
from saas.billing.differences import Difference
from saas.config import ROOT, Settings
from tests.observability.reading import Lines
from tests.recordings import SECRET
from tests.serving import served

PROGRAM = """
import copy, json, sys
import sentry_sdk
from flask_migrate import upgrade
from saas.app import create_app
from saas.config import Settings
from saas.observability import logs
from tests import recordings
from tests.webhooks.door import send

KINDS = ("customer.updated", "subscription.updated", "order.updated", "product.updated",
         "benefit_grant.created")
INSIDE = ("customer", "product", "benefit")
WRONG = ({"first": "Zebulon", "last": "Quux"}, ["Zebulon Quux"], "Zebulon Quux")

app = create_app(Settings(**json.loads(sys.argv[1])))
with app.app_context():
    upgrade()
logs.configure("json", "DEBUG")
client = app.test_client()
found = {}
for each in recordings.everything():
    found.setdefault(each.event["type"], each.event)
found["product.updated"] = {
    "type": "product.updated", "timestamp": found["order.updated"]["timestamp"],
    "data": found["subscription.updated"]["data"]["product"],
}
count = 0
for kind in KINDS:
    data = found[kind]["data"]
    paths = [(name,) for name in data]
    paths += [(part, name) for part in INSIDE if isinstance(data.get(part), dict) for name in data[part]]
    for path in paths:
        for value in WRONG:
            event = copy.deepcopy(found[kind])
            at = event["data"]
            for step in path[:-1]:
                at = at[step]
            at[path[-1]] = value
            assert send(client, event).status_code == 202
            count += 1
    sentry_sdk.flush(10)
print(count)
"""


@pytest.fixture(scope="module")
def values(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("malformed")
    return {
        "app_env": "development",
        "secret_key": settings.secret_key,
        "database_url": f"sqlite:///{folder}/x.db",
        "polar_webhook_secrets": [SECRET],
        "base_url": "http://localhost",
        "jobs_url": "inline",
        "mail_backend": "locmem",
    }


def test_each_field_of_a_delivery_malformed(
    ingest: ThreadingHTTPServer, values: dict[str, object]
) -> None:
    """In a process of its own, since reports are sent for a process as a whole."""
    dsn = f"http://publickey@127.0.0.1:{ingest.server_address[1]}/7"
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    command.append(json.dumps(values | {"sentry_dsn": dsn}))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 500
    lines = [json.loads(line)["message"] for line in done.stderr.splitlines() if line[:1] == "{"]
    failures = [line for line in lines if "failed" in line]
    assert len(failures) > 200
    assert any("customer.name: expected text, got an object" in line for line in failures)
    reports = "\n".join(ingest.reports)
    assert "expected text, got" in reports
    for name in ("Zebulon", "Quux"):
        assert name not in done.stderr
        assert name not in reports


@pytest.mark.parametrize(
    ("status", "answer", "shown"),
    [
        (
            422,
            {
                "error": "PolarRequestValidationError",
                "detail": [
                    {
                        "type": "value_error",
                        "loc": ["body", "name", "Zebulon Quux"],
                        "msg": "Zebulon Quux is no name",
                        "input": {"name": "Zebulon Quux"},
                    }
                ],
            },
            "422 PolarRequestValidationError body:name:value_error",
        ),
        (404, {"error": "Zebulon Quux", "detail": "no Zebulon Quux"}, "404 (PolarNotFound)"),
        (401, ["Zebulon Quux"], "401 (PolarUnauthorized)"),
        (422, {"detail": ["Zebulon Quux", {"loc": "Zebulon Quux"}]}, "422 (PolarRejected)"),
        (200, "Zebulon Quux", "not an object"),
    ],
)
def test_what_polar_answers_is_not_quoted(
    clean: None,
    make_app: Callable[..., Flask],
    lines: Lines,
    status: int,
    answer: object,
    shown: str,
) -> None:
    with served(Response(json.dumps(answer), status, mimetype="application/json")) as url:
        app = make_app(polar_api_url=url)
        with app.app_context(), pytest.raises(gateway.PolarError) as refusal:
            gateway.update_customer("x", name="Zebulon Quux")
    assert shown in json.dumps(lines())
    assert "Zebulon" not in json.dumps(lines()) + refusal.value.detail
    assert ("Zebulon" in refusal.value.explained) == (status != 200)


def test_what_is_no_http_is_not_quoted(
    clean: None, make_app: Callable[..., Flask], lines: Lines
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answer_once, args=(listener,), daemon=True).start()
        app = make_app(polar_api_url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        with app.app_context(), pytest.raises(gateway.PolarUnavailable) as trouble:
            gateway.update_customer("x", name="Zebulon Quux")
    assert "Zebulon" in trouble.value.explained
    [ours] = [line["message"] for line in lines() if line["logger"].startswith("saas.")]
    assert ours == "polar: PATCH /v1/customers/x: PolarNetworkError (PolarUnavailable)"


def _answer_once(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"Zebulon Quux\r\n\r\n")


def test_a_comparison_names_fields_and_not_values() -> None:
    changes = {"name": (None, "Zebulon Quux"), "email": ("a@example.com", "b@example.com")}
    found = Difference("customer", "x", changes)
    assert "Zebulon Quux" in str(found)
    assert found.without_values() == "customer x: email, name"


def test_the_address_of_a_page_that_broke_is_its_route(
    app: Flask, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError

    monkeypatch.setitem(app.view_functions, "accounts.password_reset", broken)
    assert app.test_client().get("/reset-password/Zebulon").status_code == 500
    assert any("GET /reset-password/<token>" in line["message"] for line in lines())
    assert "Zebulon" not in json.dumps(lines())
