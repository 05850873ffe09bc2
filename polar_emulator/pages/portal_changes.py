"""What a customer changes in the portal: the plan, a pause, the card, the e-mail address."""

from __future__ import annotations

from typing import Any

from email_validator import EmailNotValidError
from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from polar_emulator.api.formats import normal_email
from polar_emulator.api.wire import world
from polar_emulator.errors import ApiError, PaymentFailed, RuleError
from polar_emulator.pages import portal as pages
from polar_emulator.pages.portal import portal
from polar_emulator.rules import cards, customers, dunning, pauses, plan_changes
from polar_emulator.store import Doc

__all__ = ["portal"]

DECLINED = "Your card was declined, so your plan stays as it is. Use another card first."


@portal.get("/<slug>/portal/subscriptions/<key>/plan")
def choose_plan(slug: str, key: str) -> ResponseReturnValue:
    """The other plans."""
    pages.need_organization(slug)
    session = pages.session_here()
    if session is None:
        return pages.expired()
    return _plans(slug, session, pages.own("subscription", key, session))


@portal.post("/<slug>/portal/subscriptions/<key>/plan")
def change_plan(slug: str, key: str) -> ResponseReturnValue:
    """Change to another plan, with the organisation's way of charging for it."""
    session = pages.posting(slug)
    if session is None:
        return pages.expired()
    doc = pages.own("subscription", key, session)
    wanted = request.form.get("product", "")
    if wanted not in {product["id"] for product in _offered(doc)}:
        return _plans(slug, session, doc, "Choose one of the plans.", 422)
    try:
        plan_changes.change(world(), dict(doc), wanted, None)
    except PaymentFailed:
        return _plans(slug, session, doc, DECLINED, 402)
    except ApiError:
        return _plans(slug, session, doc, "This plan cannot be changed at the moment.", 409)
    return redirect(url_for("portal.show", slug=slug), 303)


@portal.post("/<slug>/portal/subscriptions/<key>/pause/<step>")
def pause(slug: str, key: str, step: str) -> ResponseReturnValue:
    """Pause at the end of the period, take that back, or go on after a pause."""
    session = pages.posting(slug)
    if session is None:
        return pages.expired()
    doc = pages.own("subscription", key, session)
    steps: dict[str, Any] = {
        "schedule": lambda: pauses.schedule(world(), doc, None),
        "keep": lambda: pauses.unschedule(world(), doc),
        "resume": lambda: pauses.resume(world(), doc),
    }
    if step not in steps:
        abort(404)
    return pages.done(slug, steps[step])


@portal.get("/<slug>/portal/details")
def details(slug: str) -> ResponseReturnValue:
    """The card on file and the e-mail address."""
    pages.need_organization(slug)
    session = pages.session_here()
    return pages.expired() if session is None else _details(slug, session, {})


@portal.post("/<slug>/portal/details/card")
def replace_card(slug: str) -> ResponseReturnValue:
    """Put another test card on file; what is unpaid is tried at once."""
    session = pages.posting(slug)
    if session is None:
        return pages.expired()
    token = cards.token_for(cards.digits(request.form.get("card_number", "")))
    if token is None or cards.is_declined(token):
        return _details(slug, session, {"card_number": cards.TEST_CARDS_SENTENCE}, 422)
    customer = world().store.need("customer", session["customer_id"])
    if cards.kept_as(token) == cards.GOOD:
        dunning.recover(world(), customer)
    else:
        dunning.fail_next_renewal(world(), customer)
    return redirect(url_for("portal.show", slug=slug), 303)


@portal.post("/<slug>/portal/details/email")
def change_email(slug: str) -> ResponseReturnValue:
    """Change the e-mail address, when the organisation lets its customers do so."""
    session = pages.posting(slug)
    if session is None:
        return pages.expired()
    if not world().organization["customer_portal_settings"]["customer"]["allow_email_change"]:
        abort(404)
    try:
        email = normal_email(request.form.get("email", "").strip())
        customer = world().store.need("customer", session["customer_id"])
        customers.update(world(), customer, {"email": email})
    except EmailNotValidError:
        return _details(slug, session, {"email": "Enter an address, like jane@example.com."}, 422)
    except RuleError:
        return _details(slug, session, {"email": customers.EMAIL_TAKEN}, 422)
    return redirect(url_for("portal.show", slug=slug), 303)


def _offered(doc: Doc) -> list[Doc]:
    """The other plans that are for sale."""
    where = {"is_archived": False, "is_recurring": True, "visibility": "public"}
    found = world().store.find("product", where)
    return [product for product in found if product["id"] != doc["product_id"]]


def _plans(
    slug: str, session: Doc, doc: Doc, error: str = "", status: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "portal_plan.html",
        error=error,
        subscription=pages.with_product(doc),
        offered=_offered(doc),
        **pages.shown(slug, session),
    )
    return make_response(page, status)


def _details(
    slug: str, session: Doc, errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "portal_details.html", errors=errors, form=request.form, **pages.shown(slug, session)
    )
    return make_response(page, status)
