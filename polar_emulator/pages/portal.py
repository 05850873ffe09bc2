"""The customer portal: plan, cancelling and keeping it, orders and invoices."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from polar_emulator.api.subscriptions import REASONS
from polar_emulator.api.wire import world
from polar_emulator.clock import parse
from polar_emulator.errors import ApiError
from polar_emulator.pages import targets
from polar_emulator.rules import orders, subscriptions
from polar_emulator.store import Doc

portal = Blueprint("portal", __name__)

COOKIE = "polar_portal"
SESSION_SECONDS = 3600
LONGEST_COMMENT = 1000
CARD_WORDS = {"paying": "a test card that pays", "failing": "a test card that fails"}
REASON_WORDS = {
    "too_expensive": "It is too expensive",
    "missing_features": "A feature is missing",
    "switched_service": "I use something else now",
    "unused": "I do not use it enough",
    "customer_service": "I was not happy with the support",
    "low_quality": "The quality is too low",
    "too_complex": "It is too complicated",
    "other": "Another reason",
}


@portal.get("/<slug>/portal")
def show(slug: str) -> ResponseReturnValue:
    """Plan and orders. A token in the address moves to a cookie and out of sight."""
    need_organization(slug)
    token = request.args.get("customer_session_token")
    if token is not None:
        return _sign_in(slug, token)
    session = session_here()
    if session is None:
        return expired()
    return make_response(render_template("portal.html", **shown(slug, session)))


@portal.get("/<slug>/portal/subscriptions/<key>/cancel")
def ask_cancel(slug: str, key: str) -> ResponseReturnValue:
    """The question before a cancellation, with its reasons."""
    need_organization(slug)
    session = session_here()
    if session is None:
        return expired()
    return _cancel_form(slug, session, own("subscription", key, session))


@portal.post("/<slug>/portal/subscriptions/<key>/cancel")
def cancel(slug: str, key: str) -> ResponseReturnValue:
    """Cancel at the end of the period."""
    session = posting(slug)
    if session is None:
        return expired()
    doc = own("subscription", key, session)
    reason = request.form.get("reason") or None
    comment = request.form.get("comment", "").strip() or None
    if reason is not None and reason not in REASONS:
        return _cancel_form(slug, session, doc, "Choose one of the reasons.", 422)
    if comment and len(comment) > LONGEST_COMMENT:
        return _cancel_form(slug, session, doc, f"Use at most {LONGEST_COMMENT} characters.", 422)
    return done(slug, lambda: subscriptions.cancel_at_period_end(world(), doc, reason, comment))


@portal.post("/<slug>/portal/subscriptions/<key>/keep")
def keep(slug: str, key: str) -> ResponseReturnValue:
    """Take a cancellation back."""
    session = posting(slug)
    if session is None:
        return expired()
    doc = own("subscription", key, session)
    return done(slug, lambda: subscriptions.uncancel(world(), doc))


@portal.post("/<slug>/portal/orders/<key>/invoice")
def invoice(slug: str, key: str) -> ResponseReturnValue:
    """Render the invoice of an order and show it."""
    session = posting(slug)
    if session is None:
        return expired()
    doc = own("order", key, session)
    orders.render_invoice(world(), {"order_id": doc["id"]})
    return redirect(orders.invoice_url(world(), world().store.need("order", key)), 303)


def shown(slug: str, session: Doc) -> dict[str, Any]:
    """What every page of the portal shows of its customer."""
    store, mine = world().store, {"customer_id": session["customer_id"]}
    held = store.find("subscription", mine, order="-seq")
    customer = store.need("customer", session["customer_id"])
    settings = world().organization["customer_portal_settings"]
    grants = store.find("benefit_grant", {**mine, "is_granted": True})
    return {
        "slug": slug,
        "organization": world().organization,
        "customer": customer,
        "current": [with_product(doc) for doc in held if not doc["ended_at"]],
        "past": [with_product(doc) for doc in held if doc["ended_at"]],
        "orders": [with_product(doc) for doc in store.find("order", mine, order="-seq")],
        "card": CARD_WORDS.get(customer["card"], "none"),
        "may_change_email": settings["customer"]["allow_email_change"],
        "benefits": [store.need("benefit", grant["benefit_id"])["description"] for grant in grants],
        "csrf": _csrf(session),
        "return_url": session["return_url"],
        "shop": targets.site_of(session["return_url"]),
    }


def with_product(doc: Doc) -> dict[str, Any]:
    """A subscription or an order with its product, and with the one that it is to change to."""
    store, pending = world().store, doc.get("pending_update") or {}
    return {
        **doc,
        "product": store.need("product", doc["product_id"]),
        "next_product": store.get("product", pending.get("product_id")),
    }


def done(slug: str, act: Any) -> ResponseReturnValue:
    """Do it and go back to the overview; doing it twice changes nothing."""
    try:
        act()
    except ApiError as error:
        if error.status >= 500:
            raise
    return redirect(url_for("portal.show", slug=slug), 303)


def posting(slug: str) -> Doc | None:
    """The session of a form that was sent from its own page; 403 when it was not."""
    need_organization(slug)
    session = session_here()
    if session and not hmac.compare_digest(request.form.get("csrf", ""), _csrf(session)):
        abort(403, "This form is too old. Go back, load the page again, and try once more.")
    return session


def session_here() -> Doc | None:
    """The session of the cookie, None when there is none or its hour is over."""
    return _valid(request.cookies.get(COOKIE, ""))


def own(kind: str, key: str, session: Doc) -> Doc:
    """Something of this customer's; 404 for what is somebody else's."""
    doc = world().store.get(kind, key)
    if doc is None or doc["customer_id"] != session["customer_id"]:
        abort(404)
    return doc


def need_organization(slug: str) -> None:
    """404 for the portal of an organisation that is not here."""
    if slug != world().organization["slug"]:
        abort(404)


def expired() -> ResponseReturnValue:
    """The page for a link whose hour is over."""
    return make_response(render_template("portal_expired.html"), 401)


def _cancel_form(
    slug: str, session: Doc, doc: Doc, error: str = "", status: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "portal_cancel.html",
        error=error,
        subscription=with_product(doc),
        reasons=REASON_WORDS,
        form=request.form,
        **shown(slug, session),
    )
    return make_response(page, status)


def _sign_in(slug: str, token: str) -> ResponseReturnValue:
    if _valid(token) is None:
        return expired()
    response = make_response(redirect(url_for("portal.show", slug=slug), 303))
    response.set_cookie(
        COOKIE,
        token,
        max_age=SESSION_SECONDS,
        path=f"/{slug}/portal",
        httponly=True,
        samesite="Lax",
    )
    return response


def _valid(token: str) -> Doc | None:
    session = world().store.first("customer_session", {"secret": token}) if token else None
    if session is None or parse(session["expires_at"]) <= world().now():
        return None
    owner = world().store.get("customer", session["customer_id"])
    return session if owner and not owner["deleted_at"] else None


def _csrf(session: Doc) -> str:
    return hashlib.sha256(f"csrf:{session['secret']}".encode()).hexdigest()
