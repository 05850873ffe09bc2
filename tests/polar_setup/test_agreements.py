"""What Polar and the application say of the same thing has to be the same; the doctor says how to mend it."""

from dataclasses import replace
from typing import Any

from flask import Flask

from polar_emulator.testing import LocalPolar
from saas.billing import entitlements
from saas.polar_setup import agreements, organization
from saas.polar_setup.findings import Finding
from tests.polar_setup.test_setup import api, items


def look(app: Flask) -> dict[str, Finding]:
    with app.app_context():
        settings = organization.organizations()[0]["subscription_settings"]
        return {found.name: found for found in agreements.examine(settings)}


def change(polar: LocalPolar, **settings: Any) -> None:
    [found] = items(polar, "/v1/organizations/")
    body = {"subscription_settings": found["subscription_settings"] | settings}
    with api(polar) as client:
        client.patch(f"/v1/organizations/{found['id']}", json=body).raise_for_status()


def test_the_demo_agrees_with_itself(polar_app: Flask) -> None:
    assert all(found.is_good for found in look(polar_app).values())


def test_grace_periods_that_differ(polar_app: Flask, polar: LocalPolar) -> None:
    change(polar, benefit_revocation_grace_period=14)
    found = look(polar_app)["grace period"]
    assert "for 14 days after a failed payment, we keep the plan for 0" in found.words
    assert "Set PAST_DUE_GRACE_DAYS=14, or 0 days in Polar" in found.cure
    settings = polar_app.extensions["settings"]
    polar_app.extensions["settings"] = replace(settings, past_due_grace_days=14)
    assert look(polar_app)["grace period"].is_good
    polar_app.extensions["settings"] = replace(settings, past_due_grace_days=3)
    assert look(polar_app)["grace period"].cure == "Set PAST_DUE_GRACE_DAYS=14."
    polar_app.extensions["settings"] = settings


def test_several_subscriptions_for_each_customer(polar_app: Flask, polar: LocalPolar) -> None:
    change(polar, allow_multiple_subscriptions=True)
    found = look(polar_app)["subscriptions"]
    assert not found.is_good
    assert "Switch off" in found.cure


def test_free_plan_that_gives_something_else(polar_app: Flask, polar: LocalPolar) -> None:
    free = next(p for p in items(polar, "/v1/products/") if p["name"] == "Free")
    flags = {b["description"]: b["id"] for b in items(polar, "/v1/benefits/")}
    with api(polar) as client:
        path = f"/v1/products/{free['id']}/benefits"
        body = {"benefits": [flags["25 projects"], flags["Reports"]]}
        client.post(path, json=body).raise_for_status()
    found = look(polar_app)["free plan"]
    assert found.words == ("Free at Polar gives reports, projects 25, FREE in the code projects 3.")
    assert "saas/billing/entitlements.py" in found.cure


def test_no_free_plan_at_polar(polar_app: Flask, polar: LocalPolar) -> None:
    free = next(p for p in items(polar, "/v1/products/") if p["name"] == "Free")
    with api(polar) as client:
        path = f"/v1/products/{free['id']}"
        client.patch(path, json={"is_archived": True}).raise_for_status()
    assert look(polar_app)["free plan"].is_good


def test_metadata_that_says_nothing(polar_app: Flask, polar: LocalPolar) -> None:
    """A limit as text counts, as Polar's own forms send it; what is no number is named with its cure."""
    change_benefit(polar, "25 projects", metadata={"feature": "projects", "limit": "25"})
    assert look(polar_app)["metadata"].is_good
    change_benefit(polar, "25 projects", metadata={"feature": "projects", "limit": "many"})
    found = look(polar_app)["metadata"]
    assert found.words.count('the benefit 25 projects: limit is "many"') == 1
    assert "flask billing sync" in found.cure
    listed = polar_app.test_cli_runner().invoke(args=["polar", "products"]).output
    assert 'note: the benefit 25 projects: limit is "many"; write a whole number' in listed


def change_benefit(polar: LocalPolar, description: str, **changes: Any) -> None:
    found = next(b for b in items(polar, "/v1/benefits/") if b["description"] == description)
    with api(polar) as client:
        body = {"type": "feature_flag", **changes}
        client.patch(f"/v1/benefits/{found['id']}", json=body).raise_for_status()


def test_polar_that_does_not_tell(polar_app: Flask, polar: LocalPolar) -> None:
    with polar_app.app_context():
        assert [found.name for found in agreements.examine({})] == [
            "free plan",
            "metadata",
        ]


def test_benefits_without_metadata_count_by_their_name() -> None:
    given = entitlements.of_benefits(
        [
            {"type": "feature_flag", "description": "API access", "metadata": {}},
            {"type": "discord", "description": "Chat"},
        ]
    )
    assert given.features == {"api_access"}
    assert given.limits == {}
