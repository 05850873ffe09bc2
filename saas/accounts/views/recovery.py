"""Forgotten passwords."""

from flask import redirect, render_template, url_for

from saas.accounts import bp, destinations, links, recovery
from saas.accounts.errors import LinkExpired
from saas.accounts.forms import EmailForm, NewPasswordForm
from saas.accounts.limits import limited
from saas.accounts.views.pages import enter, show_expired, show_with_secret_address
from saas.extensions import csrf
from saas.kit.forms import Answer, show


@bp.route("/forgot-password", methods=["GET", "POST"])
@limited
def password_request() -> Answer:
    """Ask where to send the link; the answer is the same for every address."""
    form = EmailForm()
    if form.validate_on_submit():
        recovery.request_reset(form.email.data, destinations.wanted())
        return redirect(url_for("accounts.password_request_sent", next=destinations.wanted()), 303)
    return show("accounts/password_request.html", form, next_url=destinations.wanted())


@bp.get("/forgot-password/sent")
def password_request_sent() -> Answer:
    """Say that the next step is in the inbox."""
    return render_template("accounts/password_request_sent.html", next_url=destinations.wanted())


@bp.route("/reset-password/<token>", methods=["GET", "POST"])
def password_reset(token: str) -> Answer:
    """Ask for a new password; giving it signs in."""
    try:
        form = NewPasswordForm(owner=links.user_of_reset(token).email)
        if form.validate_on_submit():
            return enter(recovery.reset(token, form.password.data))
    except LinkExpired as error:
        return show_expired(error, "accounts/password_expired.html")
    return show_with_secret_address(
        "accounts/password_reset.html", form, email=form.owner, next_url=destinations.wanted()
    )


csrf.exempt(password_reset)  # For the reason given for ``registration.confirmation``.
