"""What happens at the local Polar, signed by its pytest plugin and put through the door."""

from collections.abc import Callable

from flask import Flask

from polar_emulator.pytest_plugin import SignedDelivery
from polar_emulator.testing import LocalPolar
from saas.billing.models import Subscription
from saas.extensions import db
from tests.billing.buying import buy, fill_catalogue
from tests.browsing import sign_in
from tests.webhooks.door import URL


def test_a_failed_renewal_is_learnt_from_a_delivery_alone(
    polar_app: Flask,
    polar: LocalPolar,
    advance: Callable[..., None],
    signed_delivery: Callable[..., SignedDelivery],
) -> None:
    ids = fill_catalogue(polar_app)
    buy(sign_in(polar_app)[0], polar, ids["Pro Monthly"])
    polar.scenario("fail-next-renewal")
    advance(months=1)
    delivery = signed_delivery("subscription.past_due")
    answer = polar_app.test_client().post(URL, data=delivery.body, headers=delivery.headers)
    assert answer.status_code == 202
    with polar_app.app_context():
        assert db.session.scalars(db.select(Subscription.status)).one() == "past_due"
