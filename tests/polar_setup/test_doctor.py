"""``flask polar doctor``: one disease after the other, each named with its cure."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from polar_emulator.testing import LocalPolar
from saas.billing import gateway
from saas.billing.gateway import PolarUnauthorized
from saas.kit.datetimes import utcnow
from saas.polar_setup import doctor, setup
from tests.polar_setup.test_setup import api, items
from tests.serving import served


@pytest.fixture
def clinic(polar_app: Flask, polar: LocalPolar, tmp_path: Path) -> Iterator[tuple[Flask, str]]:
    """The application, reachable and set up; and its address for webhooks."""
    settings = polar_app.extensions["settings"]
    with served(polar_app) as address:
        url = f"{address}/webhooks/polar"
        with polar_app.app_context(), polar_app.test_request_context():
            list(setup.run(tmp_path / ".env", url))
        secret = next(
            e["secret"] for e in items(polar, "/v1/webhooks/endpoints") if e["url"] == url
        )
        known = (*settings.polar_webhook_secrets, secret)
        polar_app.extensions["settings"] = replace(settings, polar_webhook_secrets=known)
        yield polar_app, url
    polar_app.extensions["settings"] = settings


def examine(app: Flask, url: str, code: int = 0) -> dict[str, dict[str, Any]]:
    words = ["polar", "doctor", "--json", "--webhook-url", url]
    result = app.test_cli_runner().invoke(args=words)
    assert result.exit_code == code, result.output
    return {found["name"]: found for found in json.loads(result.output)}


def change_endpoint(polar: LocalPolar, url: str, **changes: Any) -> None:
    found = next(e for e in items(polar, "/v1/webhooks/endpoints") if e["url"] == url)
    with api(polar) as client:
        path = f"/v1/webhooks/endpoints/{found['id']}"
        client.patch(path, json=changes).raise_for_status()


def test_healthy(clinic: tuple[Flask, str], polar: LocalPolar) -> None:
    app, url = clinic
    with api(polar) as client:
        client.post("/v1/customers/", json={"email": "x@example.com"})
    polar.wait_idle()
    found = examine(app, url)
    assert all(each["is_good"] and not each["cure"] for each in found.values())
    assert set(found) >= {"token", "organisation", "clock", "scopes", "endpoint", "events"}
    assert "none of the last" in found["deliveries"]["words"]
    result = app.test_cli_runner().invoke(args=["polar", "doctor", "--webhook-url", url])
    assert result.exit_code == 0
    assert "ok  token" in result.output


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"enabled": False}, "endpoint", "switched the endpoint off"),
        ({"events": ["order.paid"]}, "events", "Not selected: benefit.created"),
        ({"format": "discord"}, "format", "discord"),
    ],
)
def test_endpoint_that_is_set_up_wrongly(
    clinic: tuple[Flask, str], polar: LocalPolar, changes: dict[str, Any], name: str, words: str
) -> None:
    app, url = clinic
    change_endpoint(polar, url, **changes)
    found = examine(app, url, code=1)
    assert words in found[name]["words"]
    assert "flask polar setup" in found[name]["cure"]


def test_no_endpoint(polar_app: Flask) -> None:
    found = examine(polar_app, "http://127.0.0.1:9/elsewhere", code=1)
    assert found["endpoint"]["cure"] == "Run: flask polar setup"


def test_endpoint_whose_address_is_none(polar_app: Flask, polar: LocalPolar) -> None:
    url = "http://127.0.0.1:99999/webhooks/polar"
    fields = {"url": url, "format": "raw", "events": ["order.paid"]}
    with api(polar) as client:
        client.post("/v1/webhooks/endpoints", json=fields).raise_for_status()
    assert "cannot be reached" in examine(polar_app, url, code=1)["reachable"]["words"]


def test_secret_of_another_endpoint(clinic: tuple[Flask, str]) -> None:
    app, url = clinic
    settings = app.extensions["settings"]
    app.extensions["settings"] = replace(settings, polar_webhook_secrets=("whsec_other",))
    assert "flask polar setup" in examine(app, url, code=1)["secret"]["cure"]


def test_token_that_is_refused(polar_app: Flask, polar: LocalPolar) -> None:
    polar.faults(api="401")
    found = examine(polar_app, "http://127.0.0.1:9/", code=1)
    assert set(found) == {"token"}
    assert "POLAR_ACCESS_TOKEN" in found["token"]["cure"]


def test_token_of_the_other_server(make_app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise PolarUnauthorized("401")

    app = make_app(polar_api_url="", polar_access_token="polar_oat_x", polar_server="production")
    monkeypatch.setattr(gateway, "call", refuse)
    monkeypatch.setattr(gateway, "accepts_us", lambda url: "sandbox" in url)
    found = examine(app, "https://app.example.com/webhooks/polar", code=1)
    assert (
        found["token"]["cure"]
        == "The token belongs to the sandbox server: set POLAR_SERVER=sandbox."
    )


def test_the_other_server_is_really_asked(polar_app: Flask, polar: LocalPolar) -> None:
    with polar_app.app_context():
        assert gateway.accepts_us(polar.url)
        assert not gateway.accepts_us("http://127.0.0.1:9")


def test_polar_that_does_not_answer(app: Flask) -> None:
    found = examine(app, "http://127.0.0.1:9/", code=1)
    assert "does not answer" in found["token"]["words"]


def test_polar_that_asks_for_patience(polar_app: Flask, polar: LocalPolar) -> None:
    polar.faults(api="429")
    found = examine(polar_app, "http://127.0.0.1:9/", code=1)["token"]
    assert "asks us to come back later" in found["words"]
    assert found["cure"] == "Wait 60 seconds, then run it again."
    assert "POLAR_SERVER" not in found["cure"]


def test_what_was_seen_before_polar_stopped_answering_is_told(
    polar_app: Flask, polar: LocalPolar
) -> None:
    polar.control("POST", "/rate-limit", {"per_minute": 3})
    try:
        found = examine(polar_app, "http://127.0.0.1:9/", code=1)
    finally:
        polar.control("POST", "/rate-limit", {"per_minute": None})
    assert found["token"]["is_good"]
    assert "run it again" in found["answers"]["cure"]


def test_something_else_answers(polar_app: Flask, polar: LocalPolar) -> None:
    polar.faults(api="html")
    found = examine(polar_app, "http://127.0.0.1:9/", code=1)
    assert "POLAR_API_URL" in found["token"]["cure"]


def test_missing_scopes_are_named(
    clinic: tuple[Flask, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, url = clinic
    call = gateway.call

    def narrow(method: str, path: str, **more: Any) -> Any:
        if (method, path) in {("GET", "/v1/orders/"), ("POST", "/v1/checkouts/")}:
            raise PolarUnauthorized("403 insufficient_scope")
        return call(method, path, **more)

    monkeypatch.setattr(gateway, "call", narrow)
    cure = examine(app, url, code=1)["scopes"]["cure"]
    assert "orders:read, checkouts:write" in cure


def test_scopes_of_a_real_token(
    clinic: tuple[Flask, str], make_app: Any, polar: LocalPolar
) -> None:
    """A token that is good and may do little is not to be made anew."""
    _, url = clinic
    narrow = "polar_oat_scoped_products:read,benefits:read"
    app = make_app(polar_api_url=polar.url, polar_access_token=narrow)
    found = examine(app, url, code=1)
    assert found["token"]["is_good"]
    assert "Edit the token" in found["scopes"]["cure"]
    assert "organizations:read, customers:read" in found["scopes"]["cure"]
    assert " products:read" not in found["scopes"]["cure"]
    narrow = f"polar_oat_scoped_{','.join([*doctor.READS, *doctor.WRITES])}"
    app = make_app(polar_api_url=polar.url, polar_access_token=narrow)
    assert examine(app, "http://127.0.0.1:9/", code=1)["scopes"]["is_good"]


def test_a_command_names_the_scope_that_it_lacks(make_app: Any, polar: LocalPolar) -> None:
    app = make_app(polar_api_url=polar.url, polar_access_token="polar_oat_scoped_orders:read")
    result = app.test_cli_runner().invoke(args=["polar", "products"])
    assert "lacks the scope products:read or products:write" in result.output


def test_looking_changes_nothing(clinic: tuple[Flask, str], polar: LocalPolar) -> None:
    app, url = clinic
    polar.wait_idle()
    before = polar.events()
    examine(app, url)
    polar.wait_idle()
    assert polar.events() == before


def test_clock_that_is_off(clinic: tuple[Flask, str], monkeypatch: pytest.MonkeyPatch) -> None:
    app, url = clinic
    monkeypatch.setattr(doctor, "utcnow", lambda: utcnow() + timedelta(minutes=10))
    assert "NTP" in examine(app, url, code=1)["clock"]["cure"]


def test_an_address_that_redirects_or_is_not_ours(
    polar_app: Flask, polar: LocalPolar, tmp_path: Path
) -> None:
    def elsewhere(environ: Any, start: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/gone":
            start("404 NOT FOUND", [])
        else:
            start("301 MOVED", [("Location", "https://www.example.com/")])
        return [b""]

    with served(elsewhere) as address, polar_app.test_request_context():
        for path, words in (("/moved", "redirects to https://www"), ("/gone", "404 instead")):
            list(setup.run(tmp_path / ".env", address + path))
            found = examine(polar_app, address + path, code=1)
            assert words in found["reachable"]["words"]


def test_deliveries_that_fail(polar_app: Flask, polar: LocalPolar, tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/webhooks/polar"
    with polar_app.test_request_context():
        list(setup.run(tmp_path / ".env", url))
    with api(polar) as client:
        client.post("/v1/customers/", json={"email": "x@example.com"})
    for _ in range(50):
        found = examine(polar_app, url, code=1)
        if not found["deliveries"]["is_good"]:
            break
    assert "flask billing replay" in found["deliveries"]["cure"]
    assert "cannot be reached" in found["reachable"]["words"]
