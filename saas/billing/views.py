"""Pricing, checkout, confirmation, billing settings and the way to the portal."""

from http import HTTPStatus
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.local import LocalProxy

from saas.accounts.limits import limited_calls
from saas.accounts.sessions import login_required, require_user, signed_in_user
from saas.billing import (
    bp,
    catalogue,
    checkout,
    choice,
    entitlements,
    notices,
    overtaken,
    payments,
    portal,
    pricing,
    reconcile,
    subscriptions,
    summary,
    trouble,
)
from saas.billing.checkout import AlreadySubscribed, AlreadyYours
from saas.billing.gateway import PolarError
from saas.billing.open_checkouts import PaymentUnderWay
from saas.billing.portal import NothingToManage
from saas.billing.upgrades import UpgradeOpen
from saas.billing.wording import product_name
from saas.errors import error_page, saying_when, wants_json
from saas.page_cache import same_for_visitors
from saas.security import may_be_kept

CHECKOUT_LIMIT = (
    "20 per minute"  # A person needs two or three; each one costs several calls to Polar.
)


@bp.app_context_processor
def template_functions() -> dict[str, Any]:
    """Give templates ``can("feature")``, ``limit("name")``, ``plan`` and the banner of what is owed."""
    return {
        "can": entitlements.can,
        "limit": entitlements.limit,
        "owed_payment": summary.owed_payment,
        "plan": LocalProxy(lambda: entitlements.current_entitlements().plan),
    }


def _interval() -> str:
    return "year" if request.args.get("interval") == "year" else "month"


@bp.get("/pricing", endpoint="pricing")
@may_be_kept("private, no-cache")
@same_for_visitors(_interval)
def pricing_page() -> ResponseReturnValue:
    """Show the catalogue copy. Makes no call to Polar."""
    chosen = _interval()
    products = catalogue.products_for_sale()
    return render_template(
        "billing/pricing.html",
        cards=pricing.cards(chosen, visitor()),
        intervals=pricing.intervals(products, chosen),
        message=None,
        catalogue_is_empty=not products,
    )


def visitor() -> pricing.Visitor:
    """Return what the price cards need to know of the present visitor."""
    user = signed_in_user()
    if user is None:
        return pricing.ANYBODY
    entitled = entitlements.current_entitlements()
    mine = subscriptions.of(user)
    return pricing.Visitor(
        is_signed_in=True,
        entitlements=entitled,
        subscription=next((found for found in mine if found.is_current), None),
        owned=entitled.product_ids - entitled.comped_ids,
        had_trial=any(found.had_trial for found in mine),
        beside=subscriptions.plans_beside(mine),
    )


@bp.post("/checkout", endpoint="checkout")
@limited_calls(CHECKOUT_LIMIT)
def checkout_start() -> ResponseReturnValue:
    """Send the customer to Polar's checkout, or a visitor to sign up first.

    ``exchange`` comes from the page that asks whether an open upgrade shall be another one.
    """
    product = catalogue.product_for_sale(request.form.get("product_id"))
    if signed_in_user() is None:
        choice.remember(product.polar_id)
        return redirect(choice.address(product.polar_id), HTTPStatus.SEE_OTHER)
    return _to_checkout(product.polar_id, exchange="exchange" in request.form)


@bp.get("/checkout")
@login_required
@limited_calls(CHECKOUT_LIMIT)
def checkout_resume() -> ResponseReturnValue:
    """Go on with the choice made before signing up.

    It starts a checkout only for the product that this browser chose by POST, the one of signing in
    included; a mere link to here shows a button instead. So does a trial that was shown to a visitor
    who turns out not to get one: nobody is led to a payment that they did not choose.
    """
    wanted = request.args.get("product_id") or choice.remembered()
    product = catalogue.product_for_sale(wanted)
    card = pricing.card(product, visitor())
    if choice.take(product.polar_id) and not card.lost_trial:
        return _to_checkout(product.polar_id)
    return render_template("billing/resume.html", card=card)


@bp.get("/checkout/returned")
@limited_calls(CHECKOUT_LIMIT)
def checkout_return() -> ResponseReturnValue:
    """Come back from a checkout without having paid there: to the prices, or on to a change of plan.

    That checkout cannot be paid any more when another tab has bought a subscription meanwhile.
    """
    user = signed_in_user()
    found = overtaken.by_another_tab(user, request.args.get("product_id")) if user else None
    if found is None:
        return redirect(url_for("billing.pricing"), HTTPStatus.SEE_OTHER)
    flash(found.words, "info")
    target = url_for("billing.settings")
    if found.switch_to:
        target = url_for("billing.plan", product_id=found.switch_to)
    return redirect(target, HTTPStatus.SEE_OTHER)


@bp.get("/checkout/confirmation")
@login_required
def confirmation() -> ResponseReturnValue:
    """Show how the payment stands; while it is being processed the page refreshes itself."""
    found = checkout.confirm(require_user(), request.args.get("checkout_id"))
    entitlements.forget_current()
    notices.after_change_for(require_user())
    response = make_response(render_template("billing/confirmation.html", **vars(found)))
    if found.state == "confirmed":
        response.headers["Refresh"] = str(found.refresh_seconds)  # Without JavaScript, too.
    return response


@bp.get("/settings/billing")
@login_required
def settings() -> ResponseReturnValue:
    """Show plan, status and payments."""
    user = require_user()
    return render_template(
        "billing/settings.html",
        summary=summary.summary(user),
        orders=payments.of(user),
    )


@bp.post("/settings/billing/portal", endpoint="portal")
@login_required
@limited_calls(CHECKOUT_LIMIT)
def portal_session() -> ResponseReturnValue:
    """Open Polar's customer portal with a fresh session."""
    try:
        return redirect(portal.open_session(require_user()), HTTPStatus.SEE_OTHER)
    except NothingToManage as nothing:
        if wants_json():
            raise
        flash(nothing.message, "info")
        return redirect(url_for("billing.pricing"), HTTPStatus.SEE_OTHER)


@bp.get("/settings/billing/returned")
@login_required
def portal_return() -> ResponseReturnValue:
    """Come back from the portal: read what changed there, then show it."""
    try:
        reconcile.pull_user(require_user())
        notices.after_change_for(require_user())
    except PolarError:
        flash("We could not check with our payment provider; changes show up in a moment.", "info")
    return redirect(url_for("billing.settings"), HTTPStatus.SEE_OTHER)


@bp.app_errorhandler(PolarError)
def polar_trouble(error: PolarError) -> ResponseReturnValue:
    """Say what to do when Polar does not answer, or not as it should."""
    if wants_json():
        return saying_when(error_page(error.status, error.code, error.message), error)
    page = render_template("billing/unavailable.html", trouble=trouble.words(error))
    return saying_when(make_response(page, error.status), error)


def _to_checkout(product_id: str, *, exchange: bool = False) -> ResponseReturnValue:
    try:
        started = checkout.start(require_user(), product_id, exchange=exchange)
        return redirect(started.url, HTTPStatus.SEE_OTHER)
    except UpgradeOpen as found:
        if wants_json():
            raise
        wanted = product_name(found.product_id)
        page = render_template("billing/upgrade.html", upgrade=found, wanted=wanted)
        return make_response(page, found.status)
    except AlreadySubscribed:
        if wants_json():
            raise
        return redirect(url_for("billing.plan", product_id=product_id), HTTPStatus.SEE_OTHER)
    except PaymentUnderWay as paid:
        if wants_json():
            raise
        target = url_for("billing.confirmation", checkout_id=paid.checkout_id)
        return redirect(target, HTTPStatus.SEE_OTHER)
    except AlreadyYours as yours:
        if wants_json():
            raise
        flash(yours.message, "info")
        return redirect(url_for("billing.settings"), HTTPStatus.SEE_OTHER)
