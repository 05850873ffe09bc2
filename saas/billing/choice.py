"""The product that somebody chose before signing in, so that the checkout goes on by itself afterwards."""

from urllib.parse import parse_qs, urlsplit

from flask import Flask, request, session, url_for

from saas.accounts import destinations
from saas.accounts.models import User

PENDING = "pending_checkout"  # A key of the session, which signing in keeps.


def address(product_id: str) -> str:
    """Return the page where a visitor goes on with a product: sign up first, then to its checkout."""
    target = url_for("billing.checkout_resume", product_id=product_id)
    return url_for("accounts.signup", next=target)


def remember(product_id: str) -> None:
    """Note what this browser chose by a form of ours."""
    session[PENDING] = product_id


def remembered() -> str | None:
    """Return what was chosen, if anything was."""
    return session.get(PENDING)


def take(product_id: str) -> bool:
    """Return whether this product was chosen, and forget it."""
    return bool(session.pop(PENDING, None) == product_id)


def on_signed_in(_app: Flask, user: User, **_: object) -> None:
    """Who signs in by a form on the way to a checkout has chosen it in this browser."""
    wanted = urlsplit(destinations.wanted() or "")
    if request.method == "POST" and wanted.path == url_for("billing.checkout_resume"):
        for product_id in parse_qs(wanted.query).get("product_id", [])[:1]:
            remember(product_id)
