"""The steps that scenarios are made of."""

from typing import Any

import httpx
from polar.v2026_10 import Polar

from polar_emulator.catalogue import stable_id
from polar_emulator.testing import LocalPolar

PAYS = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"
FAILS_LATER = "4000 0000 0000 0341"


def product_id(name: str) -> str:
    """The id of a demo product."""
    return stable_id("product", name)


class Buyers:
    """Opens checkouts, pays for them, and looks at what came of it."""

    def __init__(self, polar: LocalPolar, sdk: Polar) -> None:
        self.polar = polar
        self.sdk = sdk

    def open(self, product: str = "Pro Monthly", user: str = "user_1", **more: Any) -> Any:
        """A checkout for somebody new, as the recordings opened theirs."""
        fields = {
            "products": [product_id(product)],
            "external_customer_id": user,
            "customer_email": f"{user}@example.com",
            "success_url": "https://app.example.com/done?checkout_id={CHECKOUT_ID}",
            "metadata": {"user_id": user},
            **more,
        }
        return self.sdk.checkouts.create(**{name: v for name, v in fields.items() if v is not None})

    def pay(self, checkout: Any, card: str = PAYS, country: str = "US") -> httpx.Response:
        """Confirm a checkout, and wait until it is settled."""
        answer = self.polar.complete_checkout(checkout.client_secret, card=card, country=country)
        self.polar.wait_idle()
        return answer

    def buy(self, product: str = "Pro Monthly", user: str = "user_1", country: str = "US") -> Any:
        """Open and pay; returns the checkout as it is then."""
        checkout = self.open(product, user)
        assert self.pay(checkout, country=country).status_code == 200
        return self.sdk.checkouts.get(checkout.id)

    def subscription(self, user: str = "user_1") -> Any:
        """The newest subscription of somebody."""
        return self.sdk.subscriptions.list(external_customer_id=[user]).items[0]

    def events_after(self, step: Any) -> list[str]:
        """The types of the events that a step brings."""
        self.polar.wait_idle()
        before = len(self.polar.events())
        step()
        self.polar.wait_idle()
        return self.polar.events()[before:]
