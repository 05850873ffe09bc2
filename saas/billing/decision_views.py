"""The pages that change a subscription: each says what will happen, and does it by POST."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from saas.accounts.limits import limited_calls
from saas.accounts.sessions import login_required, require_user
from saas.billing import bp, catalogue, decisions, keeping, plan_changes, subscriptions, turns
from saas.billing.decisions import Decision
from saas.billing.forms import CancellationForm, ChangeForm, PauseForm, PlanForm
from saas.billing.gateway import PaymentDeclined
from saas.billing.keeping import HalfKept
from saas.billing.models import Product, Subscription
from saas.billing.plan_changes import NotSwitchable
from saas.billing.subscriptions import BeingClosed, NoSubscription, SubscriptionMoved
from saas.errors import AppError
from saas.kit.forms import Answer, show

CHANGE_LIMIT = "30 per minute"  # Each page asks Polar two or three times.


@bp.route("/settings/billing/plan", methods=["GET", "POST"])
@login_required
@limited_calls(CHANGE_LIMIT)
def plan() -> Answer:
    """Say what a switch to another plan costs and when; switch by POST, one click after another."""
    product = catalogue.product_for_sale(request.values.get("product_id"))
    if request.method == "GET":
        return _plan(product)
    with turns.taken(require_user().id):
        return _plan(product)


@bp.route("/settings/billing/cancellation", methods=["GET", "POST"])
@login_required
@limited_calls(CHANGE_LIMIT)
def cancellation() -> Answer:
    """Say what cancelling means and ask why; cancel by POST."""
    form = CancellationForm()
    return _decide(
        "billing/cancellation.html",
        form,
        decisions.cancellation,
        lambda found: decisions.cancel(found, form.reason.data, form.comment.data or ""),
        can_pause=decisions.can_pause,
    )


@bp.route("/settings/billing/keep", methods=["GET", "POST"])
@login_required
@limited_calls(CHANGE_LIMIT)
def keep() -> Answer:
    """Say what is undone; undo a cancellation, a pause or a change of plan by POST."""
    return _decide("billing/keep.html", ChangeForm(), keeping.keeping, keeping.keep)


@bp.route("/settings/billing/pause", methods=["GET", "POST"])
@login_required
@limited_calls(CHANGE_LIMIT)
def pause() -> Answer:
    """Say what a pause means; pause by POST."""
    form = PauseForm()

    def describe(found: Subscription) -> Decision:
        form.months.choices = [SelectChoice(*pair) for pair in decisions.pauses(found)]
        return decisions.pausing(found)

    return _decide(
        "billing/pause.html",
        form,
        describe,
        lambda found: decisions.pause(found, int(form.months.data)),
    )


@bp.route("/settings/billing/resumption", methods=["GET", "POST"])
@login_required
@limited_calls(CHANGE_LIMIT)
def resumption() -> Answer:
    """Say what resuming costs; resume by POST."""
    return _decide("billing/resumption.html", ChangeForm(), decisions.resumption, decisions.resume)


def _plan(product: Product) -> Answer:
    try:
        quote = plan_changes.quote(require_user(), product)
    except NotSwitchable as error:
        if error.endpoint == "billing.checkout_resume":
            return _to(error.endpoint, product_id=product.polar_id)
        return _tell(error, error.endpoint)
    except BeingClosed as error:
        return _tell(error, "billing.settings")
    except NoSubscription:
        return _to("billing.checkout_resume", product_id=product.polar_id)
    form = PlanForm(behavior=quote.options[0].behavior, fingerprint=quote.fingerprint)
    form.behavior.choices = [
        SelectChoice(option.behavior, option.label) for option in quote.options
    ]
    if not form.validate_on_submit():
        return show("billing/plan.html", form, quote=quote)
    try:
        form.require_unmoved(quote.fingerprint)
        done = plan_changes.switch(quote, form.behavior.data)
    except PaymentDeclined as error:
        form.refuse(error.message)
        return show("billing/plan.html", form, quote=quote)
    except SubscriptionMoved as error:
        flash(error.message, "warning")
        return _to("billing.plan", product_id=product.polar_id)
    sentence = "Your plan changes" if done.behavior == "next_period" else "Your plan is changed"
    flash(f"{sentence}. {done.words}" if done.behavior != "invoice" else f"{sentence}.", "success")
    return _to("billing.settings")


def _decide(
    template: str,
    form: ChangeForm,
    describe: Callable[[Subscription], Decision],
    act: Callable[[Subscription], str],
    can_pause: Callable[[Subscription], bool] = lambda _found: False,
) -> Answer:
    """Show a decision, or carry it out when the form came back. Declined: the page says so and stays.

    When the page would say something else by now, nothing is done and it is shown anew.
    """
    wanted = form.subscription_id.data or request.args.get("subscription") or None
    try:
        found = subscriptions.running(require_user(), wanted)
        decision = describe(found)
        form.subscription_id.data = decision.subscription_id
        context = {"decision": decision, "can_pause": can_pause(found)}
        if not form.validate_on_submit():
            return show(template, form, **context)
        form.require_unmoved(decision.fingerprint)
        flash(act(found), "success")
    except PaymentDeclined as error:
        form.refuse(error.message)
        return show(template, form, **context)
    except NoSubscription as error:
        return _tell(error, "billing.settings")
    except SubscriptionMoved as error:
        flash(error.message, "warning")
        return _to(str(request.endpoint), subscription=decision.subscription_id)
    except HalfKept as half:
        flash(half.message, "warning")
    return _to("billing.settings")


def _tell(error: AppError, endpoint: str) -> Response:
    flash(error.message, "info")
    return _to(endpoint)


def _to(endpoint: str, **values: Any) -> Response:
    return redirect(url_for(endpoint, **values), HTTPStatus.SEE_OTHER)
