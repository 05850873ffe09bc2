"""The hosted checkout page, and what it says when there is nothing left to pay."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from polar_emulator.api.wire import world
from polar_emulator.clock import parse
from polar_emulator.errors import (
    AlreadyActiveSubscription,
    ApiError,
    ExpiredCheckout,
    NotOpenCheckout,
    PaymentError,
    RuleError,
)
from polar_emulator.pages import card_form, targets
from polar_emulator.pages.wording import COUNTRIES, trial_length
from polar_emulator.rules import checkout_updates, checkouts, confirmation
from polar_emulator.shapes import catalogue as shapes
from polar_emulator.store import Doc

pages = Blueprint("checkout", __name__)

DECLINED = "Your card was declined. Please try again with a different card."
UNCONFIRMED = "Your bank did not confirm this payment. Try again, or use a different card."
SUBSCRIBED = (
    "You already have an active subscription. "
    "To change your plan, go back and use your account page."
)


@pages.get("/checkout/<secret>")
def show(secret: str) -> ResponseReturnValue:
    """The form, or a page that says why there is none."""
    doc = checkouts.by_secret(world(), secret)
    if doc is None or not _is_open(doc):
        return _closed(doc)
    return _form(doc, card_form.initial(doc), {})


@pages.post("/checkout/<secret>")
def pay(secret: str) -> ResponseReturnValue:
    """Confirm the checkout and lead on to the shop, or show the form again with what is wrong."""
    doc = checkouts.by_secret(world(), secret)
    if doc is None or not _is_open(doc):
        return _closed(doc)
    values = card_form.typed(request.form, doc)
    if request.form.get("choose") in doc["product_ids"]:
        return _choose(doc, request.form["choose"])
    if "discount" in request.form:
        return _discount(doc, values)
    errors = card_form.check(values, doc, world().now())
    if errors:
        return _form(doc, values, errors, 422)
    if doc["is_payment_form_required"] and card_form.wants_confirmation(values):
        bank = request.form.get("bank")
        if bank == "refuse":
            return _form(doc, values, {"card_number": UNCONFIRMED}, 402)
        if bank != "confirm":
            return _ask_the_bank(doc, values)
    return _confirm(doc, values)


@pages.get("/checkout/<secret>/confirmation")
def thanks(secret: str) -> ResponseReturnValue:
    """The thank-you page of shops that have none of their own."""
    doc = checkouts.by_secret(world(), secret)
    if doc is None or doc["status"] not in ("confirmed", "succeeded"):
        return show(secret)
    return _state(doc, "thanks" if doc["status"] == "succeeded" else "confirmed")


def _confirm(doc: Doc, values: dict[str, str]) -> ResponseReturnValue:
    given = {
        "customer_email": values["email"],
        "customer_name": values["name"],
        "customer_billing_address": _address(doc, values["country"]),
        "confirmation_token_id": card_form.token(values),
        "amount": card_form.amount(values, doc) if values["amount"] else None,
    }
    try:
        confirmed = confirmation.confirm(world(), dict(doc), given)
    except PaymentError:
        return _form(doc, values, {"card_number": DECLINED}, 402)
    except AlreadyActiveSubscription:
        return _form(doc, values, {"form": SUBSCRIBED}, 403)
    except (ExpiredCheckout, NotOpenCheckout):
        return _closed(doc)
    except ApiError as error:
        return _form(doc, values, {"form": str(error)}, error.status)
    return redirect(_onward(confirmed["success_url"]), 303)


def _onward(url: str) -> str:
    """Where a buyer goes after paying; the theme goes along to the thank-you page of this server."""
    theme = request.args.get("theme")
    if not theme or not _is_own(url):
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'theme': theme})}"


def _ask_the_bank(doc: Doc, values: dict[str, str]) -> ResponseReturnValue:
    """The extra step of some cards, on a page of its own."""
    targets.allow(doc["success_url"])
    return make_response(render_template("checkout_bank.html", values=values, **_shown(doc)))


def _discount(doc: Doc, values: dict[str, str]) -> ResponseReturnValue:
    """Apply the discount behind a code, or take it away."""
    wanted = request.form.get("discount_code", "").strip()
    code = wanted if request.form["discount"] == "apply" else None
    if code == "":
        return _form(doc, values, {"discount": "Enter a code."}, 422)
    try:
        checkout_updates.by_buyer(world(), dict(doc), {"discount_code": code})
    except RuleError:
        return _form(doc, values, {"discount": f"The code {wanted} does not work here."}, 422)
    return redirect(request.url, 303)


def _choose(doc: Doc, product_id: str) -> ResponseReturnValue:
    checkout_updates.by_buyer(world(), doc, {"product_id": product_id})
    return redirect(request.url, 303)


def _form(
    doc: Doc, values: dict[str, str], errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    targets.allow(doc["success_url"])
    page = render_template("checkout.html", values=values, errors=errors, **_shown(doc))
    return make_response(page, status)


def _closed(doc: Doc | None) -> ResponseReturnValue:
    if doc is None:
        return make_response(
            render_template("checkout_state.html", state="unknown", checkout=None), 404
        )
    if doc["status"] == "confirmed":
        return _state(doc, "confirmed")
    return _state(doc, "completed" if doc["status"] == "succeeded" else "expired")


def _state(doc: Doc, state: str) -> ResponseReturnValue:
    page = render_template("checkout_state.html", state=state, **_shown(doc))
    return make_response(page, 410 if state == "expired" else 200)


def _shown(doc: Doc) -> dict[str, Any]:
    product = world().store.need("product", doc["product_id"])
    benefits = [world().store.need("benefit", key) for key in product["benefit_ids"]]
    return {
        "checkout": doc,
        "organization": world().organization,
        "discount": world().store.get("discount", doc["discount_id"]),
        "product": product,
        "products": [world().store.need("product", key) for key in doc["product_ids"]],
        "price_of": {
            key: shapes.prices(world().store.need("product", key))[0] for key in doc["product_ids"]
        },
        "benefits": [benefit["description"] for benefit in benefits],
        "countries": COUNTRIES,
        "trial": trial_length(doc["active_trial_interval"], doc["active_trial_interval_count"]),
        "shop": targets.site_of(doc["return_url"]),
        "continue_url": None if _is_own(doc["success_url"]) else doc["success_url"],
    }


def _address(doc: Doc, country: str) -> dict[str, Any]:
    known = doc["customer_billing_address"] or {}
    if known.get("country") == country:
        return dict(known)
    return {**dict.fromkeys(("line1", "line2", "postal_code", "city", "state")), "country": country}


def _is_own(url: str) -> bool:
    return url.startswith(f"{world().public_url}/checkout/")


def _is_open(doc: Doc) -> bool:
    return doc["status"] == "open" and parse(doc["expires_at"]) > world().now()
