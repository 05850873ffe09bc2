"""The API under /v1/: one module per resource, behind one gate."""

from flask import Flask


def install(app: Flask) -> None:
    """Add every resource to an application."""
    from polar_emulator.api import (
        catalogue,
        checkout_client,
        checkout_links,
        checkouts,
        customers,
        discounts,
        gate,
        meters,
        orders,
        organizations,
        refunds,
        subscriptions,
        usage,
        webhooks,
    )

    buying = (checkout_client, checkout_links, checkouts, discounts, orders, refunds)
    assert all((*buying, catalogue, customers, organizations))  # noqa: S101
    assert all((subscriptions, webhooks, usage, meters))  # noqa: S101
    gate.install(app)
