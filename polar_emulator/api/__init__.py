"""The API under /v1/: one module per resource, behind one gate."""

from flask import Flask


def install(app: Flask) -> None:
    """Add every resource to an application."""
    from polar_emulator.api import (
        catalogue,
        checkouts,
        customers,
        gate,
        orders,
        organizations,
        refunds,
        subscriptions,
        webhooks,
    )

    modules = (catalogue, checkouts, customers, orders, organizations, refunds)
    assert all((*modules, subscriptions, webhooks))  # noqa: S101
    gate.install(app)
