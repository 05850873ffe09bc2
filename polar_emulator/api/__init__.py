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
        subscriptions,
        webhooks,
    )

    modules = (catalogue, checkouts, customers, orders, organizations, subscriptions, webhooks)
    assert all(modules)  # noqa: S101
    gate.install(app)
