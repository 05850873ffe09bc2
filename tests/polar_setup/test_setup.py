"""``flask polar setup`` and ``products`` against the local Polar: everything once, nothing twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask

from polar_emulator.testing import LocalPolar
from saas.polar_setup import demo, setup
from saas.webhooks import handlers

URL = "http://127.0.0.1:9/webhooks/polar"


def api(polar: LocalPolar) -> httpx.Client:
    headers = {"Authorization": f"Bearer {polar.token}"}
    return httpx.Client(base_url=polar.url, headers=headers, trust_env=False)


def items(polar: LocalPolar, path: str) -> list[dict[str, Any]]:
    with api(polar) as client:
        found: list[dict[str, Any]] = client.get(path, params={"limit": 100}).json()["items"]
        return found


def run(app: Flask, tmp_path: Path, *words: str, code: int = 0) -> str:
    arguments = ["polar", "setup", "--webhook-url", URL, "--env-file", str(tmp_path / ".env")]
    result = app.test_cli_runner().invoke(args=[*arguments, *words])
    assert result.exit_code == code, result.output
    return result.output


def emptied(polar: LocalPolar) -> None:
    """Leave no product on sale and give none of the names that the demo has."""
    with api(polar) as client:
        for product in items(polar, "/v1/products/"):
            changes = {"name": f"Old {product['name']}", "is_archived": True}
            client.patch(f"/v1/products/{product['id']}", json=changes).raise_for_status()


def test_it_creates_what_is_missing_once(
    polar_app: Flask, polar: LocalPolar, tmp_path: Path
) -> None:
    emptied(polar)
    output = run(polar_app, tmp_path, "--products")
    assert "Created the product 'Pro Monthly'." in output
    assert f"Created the webhook endpoint {URL}." in output
    products = {found["name"]: found for found in items(polar, "/v1/products/")}
    benefits = {b["description"] for b in products["Team Monthly"]["benefits"]}
    assert benefits == {"100 projects", "Reports", "API access"}
    assert products["Lifetime"]["recurring_interval"] is None
    [endpoint] = [e for e in items(polar, "/v1/webhooks/endpoints") if e["url"] == URL]
    handled = {name for name, handler in handlers.TABLE.items() if callable(handler)}
    assert set(endpoint["events"]) == handled
    assert (endpoint["format"], endpoint["api_version"]) == ("raw", "2026-10")
    assert (tmp_path / ".env").read_text() == f"POLAR_WEBHOOK_SECRET={endpoint['secret']}\n"

    counts = [len(items(polar, p)) for p in ("/v1/products/", "/v1/benefits/")]
    again = run(polar_app, tmp_path, "--products")
    assert "Everything was set up already." in again
    assert counts == [len(items(polar, p)) for p in ("/v1/products/", "/v1/benefits/")]


def test_a_run_that_was_interrupted_is_finished_and_says_so(
    polar_app: Flask, polar: LocalPolar, tmp_path: Path
) -> None:
    emptied(polar)
    run(polar_app, tmp_path)
    fields = next(fields for fields, _ in demo.PRODUCTS if fields["name"] == "Pro Monthly")
    with api(polar) as client:
        client.post("/v1/products/", json=fields).raise_for_status()
        for other, _ in demo.PRODUCTS:
            if other != fields:
                archived = client.post("/v1/products/", json=other).json()
                client.patch(f"/v1/products/{archived['id']}", json={"is_archived": True})
    output = run(polar_app, tmp_path, "--products")
    assert "- Gave the product 'Pro Monthly' its benefits.\nEverything is set up.\n" in output
    assert "Everything was set up already." in run(polar_app, tmp_path, "--products")


def test_products_only_on_request(polar_app: Flask, polar: LocalPolar, tmp_path: Path) -> None:
    emptied(polar)
    run(polar_app, tmp_path)
    assert all(product["is_archived"] for product in items(polar, "/v1/products/"))
    flags = {found["description"] for found in items(polar, "/v1/benefits/")}
    assert set(demo.FEATURE_FLAGS) <= flags


def test_an_endpoint_that_differs_is_mended(
    polar_app: Flask, polar: LocalPolar, tmp_path: Path
) -> None:
    run(polar_app, tmp_path)
    [endpoint] = [e for e in items(polar, "/v1/webhooks/endpoints") if e["url"] == URL]
    with api(polar) as client:
        changes = {"events": ["order.paid"], "format": "slack", "enabled": False}
        client.patch(f"/v1/webhooks/endpoints/{endpoint['id']}", json=changes).raise_for_status()
    assert ": enabled, events, format." in run(polar_app, tmp_path)
    [mended] = [e for e in items(polar, "/v1/webhooks/endpoints") if e["url"] == URL]
    assert (mended["enabled"], mended["format"]) == (True, "raw")
    assert sorted(mended["events"]) == setup.wanted_events()
    assert mended["secret"] == endpoint["secret"]


def test_polar_that_refuses_is_a_sentence(
    polar_app: Flask, polar: LocalPolar, tmp_path: Path
) -> None:
    polar.faults(api="401")
    assert "flask polar doctor" in run(polar_app, tmp_path, code=1)
    assert not (tmp_path / ".env").exists()


@pytest.mark.parametrize("url", ["nonsense", "https://[::1", "https://app.example.com:99999/x"])
def test_what_is_no_address_is_refused_by_the_local_one_as_well(
    polar_app: Flask, polar: LocalPolar, tmp_path: Path, url: str
) -> None:
    before = items(polar, "/v1/webhooks/endpoints")
    assert "public https:// address" in run(polar_app, tmp_path, "--webhook-url", url, code=1)
    assert items(polar, "/v1/webhooks/endpoints") == before


@pytest.mark.parametrize(
    "url",
    ["http://app.example.com/x", "https://localhost/x", "https://127.0.0.2/x", "nonsense"],
)
def test_the_real_polar_wants_a_public_address(make_app: Any, tmp_path: Path, url: str) -> None:
    app = make_app(polar_api_url="https://api.invalid", polar_access_token="polar_oat_x")
    words = ["polar", "setup", "--webhook-url", url, "--env-file", str(tmp_path / ".env")]
    result = app.test_cli_runner().invoke(args=words)
    assert result.exit_code == 1
    assert "public https:// address" in result.output


def test_products_says_what_is_shown_and_why_not(polar_app: Flask, polar: LocalPolar) -> None:
    with api(polar) as client:
        ids = {found["name"]: found["id"] for found in items(polar, "/v1/products/")}
        client.patch(f"/v1/products/{ids['Lifetime']}", json={"is_archived": True})
        client.patch(f"/v1/products/{ids['Free']}", json={"visibility": "private"})
        client.patch(f"/v1/products/{ids['Pro Yearly']}", json={"metadata": {}})
    result = polar_app.test_cli_runner().invoke(args=["polar", "products"])
    assert result.exit_code == 0
    assert "Pro Monthly (pro), $20 per month: shown" in result.output
    assert "Lifetime (lifetime), $399 once: hidden: it is archived" in result.output
    assert "hidden: its visibility is private" in result.output
    assert "note: no metadata plan" in result.output
    emptied(polar)
    assert polar_app.test_cli_runner().invoke(args=["polar", "products"]).exit_code == 1


def test_the_address_comes_from_the_settings(
    polar_app: Flask, polar: LocalPolar, tmp_path: Path
) -> None:
    words = ["polar", "setup", "--env-file", str(tmp_path / ".env")]
    result = polar_app.test_cli_runner().invoke(args=words)
    assert result.exit_code == 0, result.output
    urls = [found["url"] for found in items(polar, "/v1/webhooks/endpoints")]
    assert urls == ["http://127.0.0.1:8000/webhooks/polar"]
    doctor = polar_app.test_cli_runner().invoke(args=["polar", "doctor"])
    assert "Polar delivers to http://127.0.0.1:8000/webhooks/polar." in doctor.output


def test_where_no_file_can_be_written_the_secret_is_shown_once(
    polar_app: Flask, polar: LocalPolar, make_app: Callable[..., Flask]
) -> None:
    nowhere = Path("/proc/there-is-none")
    output = run(polar_app, nowhere)
    [endpoint] = [e for e in items(polar, "/v1/webhooks/endpoints") if e["url"] == URL]
    assert "first in POLAR_WEBHOOK_SECRET" in output
    assert f"restart: {endpoint['secret']}\n" in output
    knowing = make_app(polar_api_url=polar.url, polar_webhook_secrets=(endpoint["secret"],))
    assert endpoint["secret"] not in run(knowing, nowhere)
