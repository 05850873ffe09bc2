"""Billing settings, the portal, the way back from it, and the commands that show the same."""

import json
from typing import Any

from flask import Flask

from polar_emulator.testing import LocalPolar
from saas.billing.models import Subscription
from saas.extensions import db
from tests.billing.buying import buy, fill_catalogue
from tests.browsing import sign_in, soup, submit


def sdk(polar: LocalPolar) -> Any:
    from polar.v2026_10 import Polar

    return Polar(polar.token, base_url=polar.url)


def subscription_id(app: Flask) -> str:
    with app.app_context():
        return db.session.scalars(db.select(Subscription.polar_id)).one()


def words(client: Any, testid: str) -> str:
    found = soup(client.get("/settings/billing")).select_one(f'[data-testid="{testid}"]')
    return found.get_text(strip=True) if found else ""


def test_without_a_subscription(polar_app: Flask) -> None:
    client, _ = sign_in(polar_app)
    page = client.get("/settings/billing").text
    assert "You are on the free plan." in page
    assert "manage-subscription" not in page


def test_active_subscription_in_words(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    page = client.get("/settings/billing").text
    assert words(client, "plan-name") == "Pro Monthly"
    assert words(client, "plan-status").startswith("Active. Renews on ")
    assert "$20 per month" in page
    assert "Next payment" in page
    assert "Paid" in page


def test_trial_in_words(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Team Monthly"])
    assert words(client, "plan-status").startswith("Free trial until ")
    assert "Trial ends on" in client.get("/settings/billing").text


def test_portal_makes_a_fresh_session_each_time(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    addresses = [
        submit(client, "/settings/billing/portal", form_at="/settings/billing").location
        for _ in range(2)
    ]
    assert addresses[0] != addresses[1]
    assert all(address.startswith(polar.url) for address in addresses)
    assert all("customer_session_token=" in address for address in addresses)


def test_portal_of_somebody_who_never_bought(polar_app: Flask) -> None:
    client, _ = sign_in(polar_app)
    response = submit(client, "/settings/billing/portal", form_at="/settings/billing")
    assert response.status_code == 303
    assert response.location == "/pricing"
    assert "Choose a plan first" in client.get("/pricing").text


def test_portal_when_polar_is_down(polar_app: Flask, polar: LocalPolar) -> None:
    client, _ = sign_in(polar_app)
    polar.faults(api="down")
    response = submit(client, "/settings/billing/portal", form_at="/settings/billing")
    assert response.status_code == 503


def test_portal_needs_post_and_a_token(polar_app: Flask) -> None:
    client, _ = sign_in(polar_app)
    assert client.get("/settings/billing/portal").status_code == 405
    assert client.post("/settings/billing/portal").status_code == 400


def test_coming_back_from_the_portal_reads_what_changed(
    polar_app: Flask, polar: LocalPolar
) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    sdk(polar).subscriptions.update(subscription_id(polar_app), cancel_at_period_end=True)
    assert client.get("/settings/billing/returned").location == "/settings/billing"
    assert words(client, "plan-status").startswith("Cancelled. You keep your plan until ")
    assert "Ends on" in client.get("/settings/billing").text
    assert client.get("/dashboard/reports").status_code == 200


def test_coming_back_while_polar_is_down(polar_app: Flask, polar: LocalPolar) -> None:
    client, _ = sign_in(polar_app)
    polar.faults(api="down")
    response = client.get("/settings/billing/returned", follow_redirects=True)
    assert response.status_code == 200
    assert "could not check" in response.text


def test_revoked_subscription_ends_access(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    sdk(polar).subscriptions.revoke(subscription_id(polar_app))
    polar.wait_idle()
    result = polar_app.test_cli_runner().invoke(args=["billing", "sync", "ada@example.com"])
    assert result.exit_code == 0
    assert "ada@example.com: free, canceled" in result.output
    assert client.get("/dashboard/reports").status_code == 303
    assert words(client, "plan-status").startswith("Ended on ")


def test_status_command(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    run = polar_app.test_cli_runner().invoke
    facts = json.loads(run(args=["billing", "status", "ADA@example.com", "--json"]).output)
    assert (facts["external_id"], facts["plan"], facts["status"]) == (public_id, "free", "free")
    assert facts["subscriptions"] == []
    buy(client, polar, ids["Pro Monthly"])
    facts = json.loads(run(args=["billing", "status", "ada@example.com", "--json"]).output)
    assert (facts["plan"], facts["status"]) == ("pro", "active")
    assert "reports" in facts["features"]
    assert [each["status"] for each in facts["subscriptions"]] == ["active"]
    assert "pro" in run(args=["billing", "status", "ada@example.com"]).output


def test_commands_say_what_is_wrong(app: Flask) -> None:
    run = app.test_cli_runner().invoke
    nobody = run(args=["billing", "status", "nobody@example.com"])
    assert nobody.exit_code == 1
    assert "Nobody has signed up as nobody@example.com." in nobody.output
    silent = run(args=["billing", "sync"])
    assert silent.exit_code == 1
    assert "Polar did not answer" in silent.output


def test_sync_of_everybody(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    sign_in(polar_app, "bob@example.com")
    output = polar_app.test_cli_runner().invoke(args=["billing", "sync"]).output
    assert "Our copy agrees with Polar." in output


def test_seed_can_be_repeated(polar_app: Flask) -> None:
    run = polar_app.test_cli_runner().invoke
    for _ in range(2):
        result = run(args=["seed"])
        assert result.exit_code == 0, result.output
        assert "Demo account: demo@example.com" in result.output
