"""Buy something: from the pricing page through the local Polar's checkout and back."""

from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from polar_emulator.testing import LocalPolar
from saas.billing import reconcile
from saas.billing.models import Product
from saas.extensions import db
from tests.browsing import submit

NOBODYS = "3f0f6f2c-8f59-4c0e-9d1e-5b1d0c8e7a11"  # An id in the right form that nothing has.


def fill_catalogue(app: Flask) -> dict[str, str]:
    """Read the demo catalogue from the local Polar. Returns product ids by name."""
    with app.app_context():
        reconcile.refresh_catalogue()
        return {row.name: row.polar_id for row in db.session.scalars(select(Product))}


def choose(client: FlaskClient, product_id: str) -> TestResponse:
    """Press the button of a price card."""
    return submit(client, "/checkout", form_at="/login", product_id=product_id)


def pay(polar: LocalPolar, checkout_url: str, **buyer: str) -> str:
    """Complete the checkout at Polar. Returns the address Polar sends the customer back to."""
    secret = urlsplit(checkout_url).path.rpartition("/")[2]
    answer = polar.complete_checkout(secret, **buyer)
    assert answer.status_code == 200, answer.text
    polar.wait_idle()
    parts = urlsplit(str(answer.json()["success_url"]))
    return f"{parts.path}?{parts.query}"


def buy(client: FlaskClient, polar: LocalPolar, product_id: str) -> TestResponse:
    """Go the whole way and return the confirmation page."""
    chosen = choose(client, product_id)
    assert chosen.status_code == 303, chosen.text
    return client.get(pay(polar, chosen.location))
