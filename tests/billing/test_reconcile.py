"""What one reading of a customer finds, also of one that Polar has deleted."""

import httpx
from flask import Flask

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.billing import entitlements
from saas.extensions import db
from tests.billing.buying import buy, fill_catalogue
from tests.browsing import sign_in


def test_refund_after_the_customer_was_deleted(polar_app: Flask, polar: LocalPolar) -> None:
    """Polar keeps the order, so it must be asked for by the customer that we remember."""
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    buy(client, polar, ids["Lifetime"])
    headers = {"Authorization": f"Bearer {polar.token}"}
    with httpx.Client(base_url=polar.url, headers=headers, trust_env=False) as api:
        api.delete(f"/v1/customers/external/{public_id}").raise_for_status()
        polar.wait_idle()
        assert sync(polar_app) == "lifetime"
        [order] = api.get("/v1/orders/").json()["items"]
        refund = {"order_id": order["id"], "reason": "customer_request", "revoke_benefits": True}
        api.post("/v1/refunds/", json=refund | {"amount": order["net_amount"]}).raise_for_status()
    polar.wait_idle()
    assert sync(polar_app) == "free"


def sync(app: Flask) -> str:
    """Bring one customer in line. Returns the plan."""
    result = app.test_cli_runner().invoke(args=["billing", "sync", "ada@example.com"])
    assert result.exit_code == 0, result.output
    assert "not a customer" not in result.output
    with app.app_context():
        return entitlements.for_user(db.session.scalars(db.select(User)).one()).plan.key
